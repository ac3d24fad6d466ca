//! The upstream APIs, all in one shape: projects, slices of a project, pages of a slice.
//!
//! An upstream speaks its own wire format inside its folder and hands out model records only. `sync` drives it and
//! knows none of them by name. reqwest is named in this folder alone.

mod error;
mod fields;
mod http;
pub mod issuer;
pub mod lumar;
pub mod lunary;
mod rate;
pub mod verseodin;

pub use error::Error;
pub use http::Limits;

use crate::model::{Day, DayRange, ProjectRecord, PromptRecord, Published, RunRecord, SourceName, UpstreamKind};
use std::{fmt, future::Future, pin::Pin};

/// A fetch under way.
pub type Fetch<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// One configured account at one upstream.
pub trait Upstream: Send + Sync {
    /// The source's name.
    fn source(&self) -> &SourceName;

    /// Which kind of API it is.
    fn kind(&self) -> UpstreamKind;

    /// How many days back a finished slice may still change and is read again, the newest day included.
    fn look_back_days(&self) -> i32;

    /// Every project that the credential can see, with its brands.
    fn fetch_projects(&self) -> Fetch<'_, Discovery<ProjectRecord>>;

    /// What can be fetched of a project now, in any order. `days` are those that a backfill reaches; slices outside of
    /// them may be offered too.
    fn fetch_slices<'a>(&'a self, project: &'a ProjectRecord, days: DayRange) -> Fetch<'a, Discovery<Slice>>;

    /// How many slices of a project one call of [`Upstream::fetch_pages`] can be given.
    fn slices_at_once(&self) -> usize {
        1
    }

    /// The next page of each of some slices of a project, in their order.
    fn fetch_pages<'a>(
        &'a self,
        project: &'a ProjectRecord,
        wanted: &'a [Wanted<'a>],
        known: &'a Known<'a>,
    ) -> Fetch<'a, Vec<Result<Page, Error>>>;

    /// How many requests the reading of these slices will take, about.
    fn requests(&self, project: &ProjectRecord, slices: &[&Slice]) -> u64;
}

/// A slice to read on.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The slice.
    pub slice: &'a Slice,
    /// Where its page begins; none for the first one.
    pub cursor: Option<&'a Cursor>,
}

/// Is the run with this key stored with a record of this hash? Then nothing more need be asked about it.
pub type Known<'a> = dyn Fn(&str, u64) -> bool + Send + Sync + 'a;

/// Things found, and what was odd about them.
#[derive(Clone, Debug)]
pub struct Discovery<T> {
    /// What was found.
    pub items: Vec<T>,
    /// Items that could not be understood.
    pub rejected: Vec<Rejected>,
    /// Why other items could not be asked for: they are there, and nothing is known of them now.
    pub failed: Vec<Error>,
    /// Where the answers differ from the documented shape.
    pub drift: Vec<Drift>,
}

/// The unit that can be fetched, resumed and declared complete on its own.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Slice {
    /// Its name inside the project, stable from sync to sync.
    pub key: String,
    /// The oldest day it covers.
    pub first_day: Day,
    /// The newest day it covers: newer slices are fetched first.
    pub last_day: Day,
    /// A text that changes whenever the slice's content does, where the upstream gives one.
    pub fingerprint: Option<String>,
    /// Does an equal fingerprint prove that no finished run is new or another? Runs that failed may be, so that a
    /// slice which may still change is then read once a day and not at every sync.
    pub fingerprint_is_proof: bool,
    /// The prompt that all its runs are of, where a slice is one prompt's.
    pub prompt: Option<PromptRecord>,
    /// How many runs it holds, where the upstream says so beforehand.
    pub runs: Option<u64>,
}

impl Slice {
    /// A slice of all that a day holds.
    #[must_use]
    pub fn of_day(day: Day) -> Self {
        Self {
            key: day.to_string(),
            first_day: day,
            last_day: day,
            fingerprint: None,
            fingerprint_is_proof: false,
            prompt: None,
            runs: None,
        }
    }
}

/// Where the next page begins; its text means something to the upstream alone.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Cursor(pub String);

/// One page of a slice.
#[derive(Clone, Debug)]
pub struct Page {
    /// Runs, as far as they could be understood.
    pub runs: Vec<RunRecord>,
    /// Rows that could not.
    pub rejected: Vec<Rejected>,
    /// Figures that the upstream computed itself.
    pub published: Vec<Published>,
    /// Where the rows differ from the documented shape.
    pub drift: Vec<Drift>,
    /// Where the next page begins; none when the slice is complete.
    pub next: Option<Cursor>,
    /// Rows have moved since the page before was read, so that one may have been passed over: the slice is read again.
    pub moved: bool,
    /// Hash of the page's body: two equal ones in a row mean that the upstream does not move on.
    pub digest: u64,
    /// Bytes of the body as decoded.
    pub bytes: u64,
}

/// A row that was put aside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rejected {
    /// Why, in our words, with no text of the row in it.
    pub reason: String,
    /// The row as it came, bounded.
    pub raw: String,
}

/// One way in which an upstream's answers differ from what it documents.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Drift {
    /// Where: the upstream's name of the record, such as `PromptRow`.
    pub record: String,
    /// Which field, cleaned and bounded.
    pub field: String,
    /// What is different.
    pub kind: DriftKind,
}

/// What is different about a field.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DriftKind {
    /// A field that the contract does not name.
    NewField,
    /// A field that the contract promises and the answer lacks.
    MissingField,
    /// A value of another JSON type than the contract gives.
    ChangedType,
    /// A value outside a documented list.
    UnknownValue,
}

impl DriftKind {
    /// The kind as text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NewField => "new_field",
            Self::MissingField => "missing_field",
            Self::ChangedType => "changed_type",
            Self::UnknownValue => "unknown_value",
        }
    }
}

impl fmt::Display for DriftKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
