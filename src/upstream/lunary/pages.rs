//! Pages of a day, by time and never by offset: each begins at the instant of the row that the page before ended with,
//! and leaves out the rows of that instant which were there already. So no row that comes or goes can hide another.
//!
//! The server drops filters that it does not understand, and then serves everything: rows that were not asked for
//! condemn the page.

use super::{
    contract::RUN,
    convert::{Row, Settings},
};
use crate::{
    model::{Day, RunRecord},
    upstream::{
        Cursor, Error, Page,
        fields::{self, DriftLog, Fields, Unreadable},
    },
};
use jiff::Timestamp;
use serde_json::value::RawValue;
use std::collections::{BTreeSet, HashMap};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// Where in a day a page begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    /// The instant, in milliseconds since 1970: rows show no more, though the server may keep microseconds.
    pub(super) from: i64,
    /// The rows of that millisecond that were on the page before, by the hashes of their ids.
    seen: BTreeSet<u64>,
}

impl Place {
    /// A cursor that cannot be read, or is for another day, begins the day anew.
    pub(super) fn of(cursor: Option<&Cursor>, day: Day) -> Self {
        let place = cursor.and_then(|Cursor(text)| {
            let (from, seen) = text.strip_prefix("from:")?.split_once(':')?;
            let from: i64 = from.parse().ok()?;
            let hash = |hash: &str| u64::from_str_radix(hash, 16).ok();
            let seen = seen.split(',').filter(|hash| !hash.is_empty()).map(hash).collect::<Option<_>>()?;
            let is_of_day = from >= day.start().as_millisecond() && from < day.plus(1).start().as_millisecond();
            is_of_day.then_some(Self { from, seen })
        });
        place.unwrap_or_else(|| Self { from: day.start().as_millisecond(), seen: BTreeSet::new() })
    }

    fn cursor(&self) -> Cursor {
        let seen: Vec<String> = self.seen.iter().map(|hash| format!("{hash:016x}")).collect();
        Cursor(format!("from:{}:{}", self.from, seen.join(",")))
    }
}

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// What it is called, for errors.
    pub(super) what: &'a str,
    pub(super) project: &'a str,
    pub(super) day: Day,
    pub(super) place: &'a Place,
    /// How many rows at most.
    pub(super) limit: u64,
}

impl Asked<'_> {
    /// The query, built by hand: a dot inside a value ends it, so it must come as `%2E`; form encoders leave it be.
    pub(super) fn query(&self) -> String {
        let from = Timestamp::from_millisecond(self.place.from).unwrap_or_else(|_| self.day.start());
        let from = format!("{from:.3}").replace('.', "%2E");
        let (end, limit) = (self.day.plus(1), self.limit);
        format!("date=gte.{from}&date=lt.{end}T00:00:00Z&sortField=createdAt&sortDirection=asc&limit={limit}")
    }

    fn error(&self, detail: &str) -> Error {
        Error::Decode { what: self.what.to_owned(), detail: detail.to_owned() }
    }
}

/// What came of an answer.
#[derive(Debug)]
pub(super) enum Answer {
    /// A page.
    Page(Box<Page>),
    /// More rows of one millisecond than the page has room for: it has to be asked for with a higher limit.
    NoRoom,
}

/// Reads an answer to [`Asked::query`].
pub(super) fn read(asked: Asked<'_>, settings: &Settings, body: &str) -> Result<Answer, Error> {
    let Asked { place, .. } = asked;
    let (rows, limit) = envelope(asked.what, body)?;
    let drift = DriftLog::default();
    let mut digest = Xxh3::with_seed(place.from.cast_unsigned());
    let mut rejected = vec![];
    let mut readable: Vec<Row<'_, '_>> = vec![];
    for raw in &rows {
        digest.update(raw.get().as_bytes());
        match head(raw, &drift) {
            Ok(row) => readable.push(row),
            Err(why) => rejected.push(why.reject(raw.get())),
        }
    }
    check(asked, &readable)?;

    let last = readable.last().map(|row| row.created_at.as_millisecond());
    let count = rows.len() as u64;
    let is_known = |row: &Row<'_, '_>| {
        row.created_at.as_millisecond() == place.from && place.seen.contains(&xxh3_64(row.id.as_bytes()))
    };
    let goes_on = match limit {
        Some(limit) => count >= limit.min(asked.limit),
        // A server that does not say where it cuts: until there is nothing new.
        None => count >= asked.limit || (last > Some(place.from) && readable.iter().any(|row| !is_known(row))),
    };
    let next = match last {
        _ if !goes_on || count == 0 => None,
        None => return Err(asked.error("no row of a full page can be understood")),
        Some(last) if last <= place.from => {
            let is_capped = limit.is_some_and(|limit| limit < asked.limit);
            return if is_capped { Err(asked.no_room()) } else { Ok(Answer::NoRoom) };
        }
        Some(last) => {
            let tied = readable.iter().filter(|row| row.created_at.as_millisecond() == last);
            Some(Place { from: last, seen: tied.map(|row| xxh3_64(row.id.as_bytes())).collect() })
        }
    };

    let mut runs: Vec<RunRecord> = vec![];
    let mut places: HashMap<String, usize> = HashMap::new();
    for row in readable.iter().filter(|row| !is_known(row)) {
        match settings.read(row, asked.project, &drift) {
            Ok(None) => {}
            Ok(Some(run)) => {
                // A run under several chats is listed once for each, with another parent's feedback. Whichever it is,
                // it should be the same at the next reading.
                if let Some(twin) = places.get(&run.key).and_then(|at| runs.get_mut(*at)) {
                    if run.raw_hash < twin.raw_hash {
                        *twin = run;
                    }
                } else {
                    places.insert(run.key.clone(), runs.len());
                    runs.push(run);
                }
            }
            Err(why) => rejected.push(why.reject(row.raw)),
        }
    }
    drop(readable);
    Ok(Answer::Page(Box::new(Page {
        runs,
        rejected,
        published: vec![],
        drift: drift.into_drifts(),
        next: next.map(|place| place.cursor()),
        moved: false,
        digest: digest.digest(),
        bytes: body.len() as u64,
    })))
}

impl Asked<'_> {
    /// More runs of one millisecond than can be asked for.
    pub(super) fn no_room(&self) -> Error {
        self.error("more runs begin in one millisecond than one page can hold")
    }
}

/// The rows of an answer, and after how many the server cuts, where it says so.
pub(super) fn envelope<'a>(what: &str, body: &'a str) -> Result<(Vec<&'a RawValue>, Option<u64>), Error> {
    if body.trim_start().starts_with('[') {
        let rows = serde_json::from_str(body);
        let detail = || "it is not a readable list".to_owned();
        return rows.map(|rows| (rows, None)).map_err(|_| Error::Decode { what: what.to_owned(), detail: detail() });
    }
    let rows = fields::rows(what, &["data"], body)?;
    let limit = fields::member(what, &["limit"], body).ok();
    // Some write numbers as texts.
    let limit = limit.and_then(|limit| limit.get().trim_matches('"').parse().ok()).filter(|limit| *limit > 0);
    Ok((rows, limit))
}

/// What every row must have, whatever its type.
fn head<'a, 'd>(raw: &'a RawValue, drift: &'d DriftLog) -> Result<Row<'a, 'd>, Unreadable> {
    let fields = Fields::read(&RUN, raw, drift)?;
    let id = fields.word("id")?.into_owned();
    // It becomes a part of addresses, keys and messages.
    if id.len() > 128 || !id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':')) {
        return Err(Unreadable("`id` is not an id".to_owned()));
    }
    let Some(created_at) = fields.opt_instant("createdAt") else {
        return Err(Unreadable("`createdAt` is missing or no instant".to_owned()));
    };
    Ok(Row { raw: raw.get(), fields, id, created_at })
}

/// Are these rows what was asked for?
fn check(asked: Asked<'_>, rows: &[Row<'_, '_>]) -> Result<(), Error> {
    let end = asked.day.plus(1).start().as_millisecond();
    let mut above = asked.place.from;
    for row in rows {
        let at = row.created_at.as_millisecond();
        if at < asked.place.from || at >= end {
            return Err(asked.error("it has runs of other days than asked for, so the date filter was dropped"));
        }
        if at < above {
            return Err(asked.error("its runs are not in the order of their times, which was asked for"));
        }
        above = at;
    }
    Ok(())
}
