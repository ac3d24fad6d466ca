//! Single JSON values, read liberally: each function gives the value and whether it has the documented type.

use crate::model::Day;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The value, and whether it came as the documented JSON type.
type Reading<T> = Option<(T, bool)>;

/// A text without control, zero-width and bidirectional characters, at most `max` characters long.
pub(in crate::upstream) fn clean(text: &str, max: usize) -> String {
    let harmless = |c: &char| {
        !c.is_control()
            && !matches!(u32::from(*c),
                0xad | 0x61c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfe00..=0xfe0f
                | 0xfeff | 0xfff9..=0xfffb | 0xe0000..=0xe0fff)
    };
    if text.len() <= max && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
        return text.to_owned();
    }
    text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(harmless).take(max).collect()
}

/// The content of a JSON string; none where the value is none.
fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    Some(if inner.contains('\\') { Cow::Owned(unescape(inner)) } else { Cow::Borrowed(inner) })
}

/// Resolves the escapes of a JSON string. Half of a surrogate pair, as left by cutting a text in JavaScript, becomes a
/// replacement character: no reason to lose the text, as a strict parser would.
fn unescape(inner: &str) -> String {
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let mut after = escape.chars();
        match after.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('u') => {
                let (unit, tail) = code_unit(after.as_str());
                let low = tail.strip_prefix("\\u").map(code_unit).filter(|(low, _)| (0xdc00..0xe000).contains(low));
                let (code, tail) = match low {
                    Some((low, tail)) if (0xd800..0xdc00).contains(&unit) => {
                        (0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00), tail)
                    }
                    _ => (unit, tail),
                };
                text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                after = tail.chars();
            }
            // A quote, a slash, a backslash: each stands for itself, and JSON has no others.
            Some(other) => text.push(other),
            None => {}
        }
        rest = after.as_str();
    }
    text.push_str(rest);
    text
}

/// Four hex digits, and what follows them.
fn code_unit(text: &str) -> (u32, &str) {
    let parsed = text.split_at_checked(4).and_then(|(hex, tail)| Some((u32::from_str_radix(hex, 16).ok()?, tail)));
    parsed.unwrap_or((u32::from(char::REPLACEMENT_CHARACTER), text))
}

fn is_scalar(raw: &str) -> bool {
    !raw.starts_with(['{', '[', '"'])
}

pub(super) fn text(raw: &str) -> Reading<Cow<'_, str>> {
    match string(raw) {
        Some(text) => Some((text, true)),
        None => is_scalar(raw).then_some((Cow::Borrowed(raw), false)),
    }
}

/// A number's text, be it a JSON number or a string that holds one.
fn digits(raw: &str) -> Reading<Cow<'_, str>> {
    if let Some(text) = string(raw) {
        return Some((Cow::Owned(text.trim().to_owned()), false));
    }
    raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()).then_some((Cow::Borrowed(raw), true))
}

pub(super) fn integer(raw: &str) -> Reading<i64> {
    // Beyond these, neighbouring whole numbers are the same float.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let (digits, as_documented) = digits(raw)?;
    let integer = digits.parse::<i64>().ok().or_else(|| {
        let float = digits.parse::<f64>().ok()?;
        #[expect(clippy::cast_possible_truncation, reason = "whole and within range")]
        (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i64)
    });
    integer.map(|integer| (integer, as_documented))
}

pub(super) fn number(raw: &str) -> Reading<f64> {
    let (digits, as_documented) = digits(raw)?;
    digits.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| (number, as_documented))
}

pub(super) fn boolean(raw: &str) -> Reading<bool> {
    match raw {
        "true" => return Some((true, true)),
        "false" => return Some((false, true)),
        _ => {}
    }
    let word = text(raw)?.0;
    match word.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "1" => Some((true, false)),
        "false" | "f" | "no" | "0" => Some((false, false)),
        _ => None,
    }
}

pub(super) fn instant(raw: &str) -> Reading<Timestamp> {
    let Some(text) = string(raw) else {
        // Unix time, in milliseconds when it would otherwise be far off.
        let (unix, _) = integer(raw)?;
        let instant = if unix.unsigned_abs() >= 100_000_000_000 {
            Timestamp::from_millisecond(unix)
        } else {
            Timestamp::from_second(unix)
        };
        return instant.ok().map(|instant| (instant, false));
    };
    let text = text.trim();
    // Without a zone it is UTC; jiff reads a space for the `T`, and a day alone as its midnight.
    let utc = |text: &str| text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse::<Timestamp>().ok().or_else(|| utc(text)).map(|instant| (instant, true))
}

pub(super) fn day(raw: &str) -> Reading<Day> {
    let text = string(raw)?;
    let text = text.trim();
    if let Ok(day) = text.parse::<Day>() {
        return Some((day, true));
    }
    // A timestamp where a day should be: the day is the one that is written, whatever the zone.
    let rest = text.get(10..).filter(|rest| rest.starts_with(['T', 't', ' ']))?;
    let day = text.get(..10)?.parse::<Day>().ok()?;
    rest.get(1..)?.starts_with(|c: char| c.is_ascii_digit()).then_some((day, true))
}

/// The items of a list; a single value is a list of one.
pub(super) fn list<'a>(raw: &'a str, single: Option<&'a RawValue>) -> Reading<Vec<&'a RawValue>> {
    if raw.starts_with('[') {
        return serde_json::from_str::<Vec<&RawValue>>(raw).ok().map(|items| (items, true));
    }
    single.map(|value| (vec![value], false))
}

#[derive(Deserialize)]
struct Link<'a> {
    #[serde(borrow, default)]
    url: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

pub(super) fn texts(raw: &str) -> Reading<Vec<Cow<'_, str>>> {
    if let Ok(texts) = serde_json::from_str::<Vec<Text<'_>>>(raw) {
        return Some((texts.into_iter().map(|text| text.0).collect(), true));
    }
    if !raw.starts_with('[') {
        let text = string(raw)?;
        // A list that was stored as text comes back as text.
        if text.trim_start().starts_with('[') {
            return serde_json::from_str::<Vec<String>>(&text)
                .ok()
                .map(|texts| (texts.into_iter().map(Cow::Owned).collect(), false));
        }
        return Some((if text.trim().is_empty() { vec![] } else { vec![text] }, false));
    }
    let items = serde_json::from_str::<Vec<&RawValue>>(raw).ok()?;
    let mut as_documented = true;
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        if let Some(text) = string(item.get()) {
            texts.push(text);
        } else {
            as_documented &= item.get() == "null";
            let link = serde_json::from_str::<Link<'_>>(item.get()).ok();
            texts.extend(link.and_then(|link| link.url).and_then(|url| string(url.get())));
        }
    }
    Some((texts, as_documented))
}
