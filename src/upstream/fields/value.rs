//! Single JSON values, read liberally: each function gives the value and whether it has the documented type.

use crate::model::Day;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Deserializer, de::Visitor};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

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
    text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(harmless).take(max).collect()
}

/// The content of a JSON string; none where the value is none.
fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.as_bytes().contains(&b'\\') {
        return Some(Cow::Borrowed(inner));
    }
    match serde_json::from_str::<String>(raw) {
        Ok(text) => Some(Cow::Owned(text)),
        // Half of a surrogate pair, as left by cutting a text in JavaScript: no reason to lose the text.
        Err(_) => serde_json::from_str::<Lossy>(raw).ok().map(|lossy| Cow::Owned(lossy.0)),
    }
}

/// A string that may hold lone surrogates, which become replacement characters.
struct Lossy(String);

impl<'de> Deserialize<'de> for Lossy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Lossy;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Lossy, E> {
                Ok(Lossy(String::from_utf8_lossy(bytes).into_owned()))
            }
        }

        deserializer.deserialize_bytes(Bytes)
    }
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

pub(super) fn texts(raw: &str) -> Reading<Vec<Cow<'_, str>>> {
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
