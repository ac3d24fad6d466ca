//! Liberal reading of a JSON record: what can be understood is, and what differs from the contract is noted.
//!
//! Nothing is copied before it is asked for: a record is a list of keys with the JSON text of their values.

mod value;

pub(super) use value::clean;

use super::{Drift, DriftKind, Error, Rejected};
use crate::model::Day;
use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};
use std::{borrow::Cow, cell::RefCell, fmt};

/// What an upstream documents of a record; at most 64 fields are looked after.
#[derive(Debug)]
pub(super) struct Contract {
    /// The upstream's name of it.
    pub(super) record: &'static str,
    /// Fields that are always there.
    pub(super) promised: &'static [&'static str],
    /// Fields that may be.
    pub(super) optional: &'static [&'static str],
    /// Other fields are to be expected and no news.
    pub(super) open: bool,
}

/// Drift noted while a page is read: each oddity once, and no more than a page's worth of them.
#[derive(Debug, Default)]
pub(super) struct DriftLog(RefCell<Vec<Drift>>);

const MAX_DRIFTS: usize = 100;
const MAX_NAME: usize = 64;
const MAX_RAW: usize = 4096;

impl DriftLog {
    /// Notes that a field of a record differs.
    pub(super) fn note(&self, record: &str, field: &str, kind: DriftKind) {
        let mut drifts = self.0.borrow_mut();
        let known = |drift: &Drift| drift.kind == kind && drift.field == field && drift.record == record;
        if drifts.len() >= MAX_DRIFTS || drifts.iter().any(known) {
            return;
        }
        let drift = Drift { record: record.to_owned(), field: clean(field, MAX_NAME), kind };
        if !drifts.contains(&drift) {
            drifts.push(drift);
        }
    }

    /// All that was noted, in order of appearance.
    pub(super) fn into_drifts(self) -> Vec<Drift> {
        self.0.into_inner()
    }
}

/// Why a record cannot be understood, in our words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Unreadable(pub(super) String);

impl Unreadable {
    /// The record put aside, as it came, bounded.
    pub(super) fn reject(self, raw: &str) -> Rejected {
        Rejected { reason: self.0, raw: raw.get(..raw.floor_char_boundary(MAX_RAW)).unwrap_or_default().to_owned() }
    }
}

/// One JSON object, read field by field.
#[derive(Debug)]
pub(super) struct Fields<'a, 'd> {
    record: &'static str,
    raw: &'a str,
    entries: Entries<'a>,
    drift: &'d DriftLog,
}

/// The fields of an object, in order: nothing parsed but the keys.
pub(super) type Entries<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

impl<'a, 'd> Fields<'a, 'd> {
    /// The fields of an object; those that differ from the contract are noted.
    pub(super) fn read(contract: &Contract, raw: &'a RawValue, drift: &'d DriftLog) -> Result<Self, Unreadable> {
        Self::read_into(Vec::new(), contract, raw, drift)
    }

    /// As [`Fields::read`], in memory that was in use before: see [`Fields::into_entries`].
    pub(super) fn read_into(
        mut entries: Entries<'a>,
        contract: &Contract,
        raw: &'a RawValue,
        drift: &'d DriftLog,
    ) -> Result<Self, Unreadable> {
        let raw = raw.get();
        entries.clear();
        read_object(raw, &mut entries)
            .map_err(|_| Unreadable(format!("a {} is not a readable object", contract.record)))?;
        let fields = Self { record: contract.record, raw, entries, drift };
        fields.compare(contract);
        Ok(fields)
    }

    /// The memory, for the next record.
    pub(super) fn into_entries(self) -> Entries<'a> {
        self.entries
    }

    fn compare(&self, contract: &Contract) {
        let named = || contract.promised.iter().chain(contract.optional);
        let mut seen = 0u64;
        for (i, (key, _)) in self.entries.iter().enumerate() {
            // Rows come in the documented order as a rule, so the first guess is mostly right.
            let guess = contract.promised.get(i).is_some_and(|name| name == key).then_some(i);
            match guess.or_else(|| named().position(|name| name == key)) {
                Some(at) => seen |= 1u64.checked_shl(u32::try_from(at).unwrap_or(u32::MAX)).unwrap_or(0),
                None if contract.open => {}
                None => self.note(key, DriftKind::NewField),
            }
        }
        for (at, name) in contract.promised.iter().enumerate().take(64) {
            if seen >> at & 1 == 0 {
                self.note(name, DriftKind::MissingField);
            }
        }
    }

    fn note(&self, field: &str, kind: DriftKind) {
        self.drift.note(self.record, field, kind);
    }

    /// Every field with the JSON text of its value, in order.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.entries.iter().map(|(key, value)| (key.as_ref(), *value))
    }

    /// The value of a field; none where it is missing or null.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        // The last one wins, as in every JSON parser that people use.
        let (_, value) = self.entries.iter().rfind(|(key, _)| key == name)?;
        (value.get() != "null").then_some(*value)
    }

    /// The first of these fields that has a value.
    pub(super) fn first_of(&self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().copied().find(|name| self.get(name).is_some())
    }

    /// Reads a value; a type that we can live with is noted, and so is one that we cannot.
    fn read_as<T>(&self, name: &str, read: impl FnOnce(&'a str) -> Option<(T, bool)>) -> Option<T> {
        let value = self.get(name)?.get();
        match read(value) {
            Some((value, true)) => Some(value),
            Some((value, false)) => {
                self.note(name, DriftKind::ChangedType);
                Some(value)
            }
            None => {
                self.note(name, DriftKind::ChangedType);
                None
            }
        }
    }

    fn require<T>(&self, name: &str, kind: &str, value: Option<T>) -> Result<T, Unreadable> {
        value.ok_or_else(|| {
            Unreadable(match self.entries.iter().rfind(|(key, _)| key == name) {
                None => format!("`{name}` is missing"),
                Some((_, value)) if value.get() == "null" => format!("`{name}` is null"),
                Some(_) => format!("`{name}` is not {kind}"),
            })
        })
    }

    /// A text.
    pub(super) fn opt_text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.read_as(name, value::text)
    }

    /// A text with something in it, trimmed.
    pub(super) fn opt_word(&self, name: &str) -> Option<Cow<'a, str>> {
        let word = match self.opt_text(name)? {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        };
        (!word.is_empty()).then_some(word)
    }

    /// A text with something in it, trimmed, without which the record means nothing.
    pub(super) fn word(&self, name: &str) -> Result<Cow<'a, str>, Unreadable> {
        let text = self.require(name, "a text", self.opt_text(name))?;
        if text.trim().is_empty() {
            return Err(Unreadable(format!("`{name}` is empty")));
        }
        Ok(match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        })
    }

    /// A whole number.
    pub(super) fn opt_integer(&self, name: &str) -> Option<i64> {
        self.read_as(name, value::integer)
    }

    /// A whole number without which the record means nothing.
    pub(super) fn integer(&self, name: &str) -> Result<i64, Unreadable> {
        self.require(name, "a whole number", self.opt_integer(name))
    }

    /// A count: negative ones are none.
    pub(super) fn opt_count(&self, name: &str) -> Option<u32> {
        self.opt_integer(name).and_then(|n| u32::try_from(n).ok())
    }

    /// A number.
    pub(super) fn opt_number(&self, name: &str) -> Option<f64> {
        self.read_as(name, value::number)
    }

    /// A value of whatever kind as JSON text that anybody can read: no number is out of range, and nothing nested too
    /// deep.
    pub(super) fn json(&self, name: &str, value: &RawValue) -> Option<String> {
        if serde_json::from_str::<Value>(value.get()).is_err() {
            self.note(name, DriftKind::ChangedType);
            return None;
        }
        Some(value.get().to_owned())
    }

    /// True or false.
    pub(super) fn opt_boolean(&self, name: &str) -> Option<bool> {
        self.read_as(name, value::boolean)
    }

    /// An instant.
    pub(super) fn opt_instant(&self, name: &str) -> Option<Timestamp> {
        self.read_as(name, value::instant)
    }

    /// A calendar day.
    pub(super) fn opt_day(&self, name: &str) -> Option<Day> {
        self.read_as(name, value::day)
    }

    /// A calendar day without which the record means nothing.
    pub(super) fn day(&self, name: &str) -> Result<Day, Unreadable> {
        self.require(name, "a day", self.opt_day(name))
    }

    /// The items of a list, as JSON text; a single value counts as a list of one.
    pub(super) fn opt_list(&self, name: &str) -> Option<Vec<&'a RawValue>> {
        self.read_as(name, |raw| value::list(raw, self.get(name)))
    }

    /// A list of texts; an item that is an object counts by its `url`, and one without a text is left out.
    pub(super) fn opt_texts(&self, name: &str) -> Option<Vec<Cow<'a, str>>> {
        self.read_as(name, value::texts)
    }

    /// An object inside this one, whatever its keys.
    pub(super) fn opt_object(&self, name: &str, contract: &Contract) -> Option<Fields<'a, 'd>> {
        let fields = Self::read(contract, self.get(name)?, self.drift);
        if fields.is_err() {
            self.note(name, DriftKind::ChangedType);
        }
        fields.ok()
    }

    /// Notes a value that is not on the documented list.
    pub(super) fn expect_one_of(&self, name: &str, value: &str, known: &[&str]) {
        if !known.contains(&value) {
            self.note(name, DriftKind::UnknownValue);
        }
    }

    /// The record's own text, with the values of this field replaced by `null`.
    pub(super) fn raw_without(&self, name: &str) -> String {
        self.raw_with(name, "null")
    }

    /// The record's own text, with the values of this field replaced by another JSON text.
    pub(super) fn raw_with(&self, name: &str, json: &str) -> String {
        let mut raw = String::with_capacity(self.raw.len());
        let mut done = 0;
        for (_, value) in self.entries.iter().filter(|(key, _)| key == name) {
            // The value's text is a part of the record's own, so its place is known and nothing is written anew.
            let start = value.get().as_ptr().addr().wrapping_sub(self.raw.as_ptr().addr());
            raw.push_str(self.raw.get(done..start).unwrap_or_default());
            raw.push_str(json);
            done = start.saturating_add(value.get().len());
        }
        raw.push_str(self.raw.get(done..).unwrap_or_default());
        raw
    }
}

/// The rows of an answer such as `{"data": [...]}`, under the first of these names that it has.
///
/// # Errors
///
/// [`Error::Decode`] when it is not JSON, has no such field, or the field is no list.
pub(super) fn rows<'a>(what: &str, names: &[&'static str], body: &'a str) -> Result<Vec<&'a RawValue>, Error> {
    let mut json = serde_json::Deserializer::from_str(body);
    if let (Ok(Some(rows)), Ok(())) = (Rows(names).deserialize(&mut json), json.end()) {
        return Ok(rows);
    }
    // Once more, slowly, for what is wrong.
    let value = member(what, names, body)?;
    if value.get() == "null" {
        return Ok(Vec::new());
    }
    serde_json::from_str(value.get()).map_err(|_| not_documented(what, format!("`{}` is not a list", join(names))))
}

/// The value of the first of these names that an answer has.
///
/// # Errors
///
/// [`Error::Decode`] when it is not JSON, or has no such field.
pub(super) fn member<'a>(what: &str, names: &[&'static str], body: &'a str) -> Result<&'a RawValue, Error> {
    let mut entries = Entries::new();
    read_object(body, &mut entries).map_err(|error| not_documented(what, wrong_json(&error)))?;
    names
        .iter()
        .find_map(|name| entries.iter().rfind(|(key, _)| key == name))
        .map(|(_, value)| *value)
        .ok_or_else(|| not_documented(what, format!("`{}` is missing", join(names))))
}

fn join(names: &[&'static str]) -> String {
    names.join("` or `")
}

fn not_documented(what: &str, detail: String) -> Error {
    Error::Decode { what: what.to_owned(), detail }
}

/// What is wrong, without the text: serde's own messages quote it.
fn wrong_json(error: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Eof => format!("it ends too early ({place})"),
        serde_json::error::Category::Data => "it is not an object".to_owned(),
        _ => format!("it is not JSON ({place})"),
    }
}

fn read_object<'a>(raw: &'a str, entries: &mut Entries<'a>) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(raw);
    json.deserialize_map(Object(entries))?;
    json.end()
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

struct Object<'e, 'a>(&'e mut Entries<'a>);

impl<'de> Visitor<'de> for Object<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            self.0.push((key, map.next_value()?));
        }
        Ok(())
    }
}

/// The list under the first of these names, read in one pass.
struct Rows<'n>(&'n [&'static str]);

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = Option<Vec<&'de RawValue>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = Option<Vec<&'de RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found: Option<(usize, Vec<&'de RawValue>)> = None;
        while let Some(Key(key)) = map.next_key()? {
            match self.0.iter().position(|name| *name == key) {
                Some(rank) if found.as_ref().is_none_or(|(best, _)| rank <= *best) => {
                    found = Some((rank, map.next_value()?));
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found.map(|(_, rows)| rows))
    }
}

#[cfg(test)]
mod tests;
