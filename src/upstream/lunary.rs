//! Lunary: the runs of one project, day by day. REST, read only.
//!
//! A private key opens one project, and is all that says which. A slice is one UTC day by the runs' `createdAt`, read
//! oldest first. Brands are not known upstream: they come from the configuration.

mod contract;
mod convert;
mod engines;
mod filter;
mod glob;
mod hash;
mod pages;
mod refusal;
mod repair;
mod slices;
mod text;
mod urls;

pub use engines::ModelRule;
pub use filter::RunFilter;

use super::{
    Cursor, Discovery, Error, Fetch, Known, Limits, Page, Slice, Upstream, Wanted,
    fields::{DriftLog, Fields},
    http::{Auth, Http, HttpConfig, Request},
    rate::Quota,
};
use crate::model::{Day, DayRange, ProjectRecord, RunRecord, SourceName, UpstreamKind};
use contract::{RUN, RUN_BY_ID};
use convert::Settings;
use engines::Engines;
use filter::Filter;
use pages::{Answer, Asked, Place};
use secrecy::SecretString;
use serde_json::value::RawValue;
use std::time::Duration;
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

/// What the server allows an address by default.
const QUOTA: Quota = Quota { capacity: 150, refill: Duration::from_mins(1) };

/// For so long feedback, tags and ends of runs come in, as a rule.
const LOOK_BACK_DAYS: i32 = 7;

/// Rows of a page, as a rule.
const PAGE_ROWS: u64 = 1_000;

/// Rows of a page at most: where so many runs begin in one millisecond.
const MAX_ROWS: u64 = 64_000;

/// Rows of a page at least: where the runs are very large.
const MIN_ROWS: u64 = 10;

/// What any run will do for, in errors.
const LIST: &str = "the list of runs";

/// Sets the hash of a record with its trace apart from that of the list's row alone.
const WITH_TRACE: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a Lunary source is made of.
#[derive(Clone, Debug)]
pub struct LunaryConfig {
    /// The source's name.
    pub source: SourceName,
    /// A project's private key.
    pub api_key: SecretString,
    /// The address, up to and with `/v1`.
    pub base_url: Url,
    /// The variable that holds the key, for messages.
    pub key_variable: String,
    /// What to call the project, where not as the source.
    pub project_name: Option<String>,
    /// Which runs count.
    pub runs: RunFilter,
    /// Ask for each run by its id as well, for its trace.
    pub run_details: bool,
    /// Which engines models belong to, before the table that is built in.
    pub models: Vec<ModelRule>,
    /// Waits, tries and sizes.
    pub limits: Limits,
}

/// One Lunary project.
#[derive(Debug)]
pub struct Lunary {
    source: SourceName,
    http: Http,
    key_variable: String,
    project_name: String,
    settings: Settings,
    run_details: bool,
    /// What sets fingerprints apart that were taken with other settings; empty for the usual ones.
    variant: String,
    page_rows: u64,
}

impl Lunary {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for an address that no key may be sent to, and for a key that cannot be sent.
    pub fn new(config: LunaryConfig) -> Result<Self, Error> {
        let LunaryConfig { source, api_key, base_url, key_variable, project_name, .. } = config;
        let (runs, run_details, models, limits) = (config.runs, config.run_details, config.models, config.limits);
        let auth = Auth::Bearer(api_key);
        let http = Http::new(HttpConfig { base_url, auth, key_variable: key_variable.clone(), quota: QUOTA, limits })?;
        let filter = Filter::new(runs);
        let salt = if models.is_empty() { 0 } else { xxh3_64(format!("{models:?}").as_bytes()) };
        let is_usual = filter.is_default() && salt == 0 && !run_details;
        let variant = salt ^ filter.hash() ^ u64::from(run_details);
        Ok(Self {
            project_name: project_name.unwrap_or_else(|| source.to_string()),
            source,
            http,
            key_variable,
            variant: if is_usual { String::new() } else { format!("/{variant:016x}") },
            settings: Settings { engines: Engines::new(&models), filter, salt },
            run_details,
            page_rows: PAGE_ROWS,
        })
    }

    /// An answer's body. Refusals are told by their messages.
    async fn fetch(&self, request: &Request) -> Result<String, Error> {
        let explain = |status: u16, body: &str| refusal::explain(&self.key_variable, &request.what, status, body);
        let body = self.http.fetch_explained(request, &explain).await?;
        Ok(match repair::repair(&body) {
            std::borrow::Cow::Borrowed(_) => body,
            std::borrow::Cow::Owned(repaired) => repaired,
        })
    }

    /// The list of runs. There is always one, so that a 404 is about the key or the address.
    async fn fetch_list(&self, what: &str, query: &str) -> Result<String, Error> {
        let mut url = self.http.url(["runs"]);
        url.set_query(Some(query));
        match self.fetch(&Request { what: what.to_owned(), url }).await {
            Err(Error::NotFound { .. }) => Err(refusal::no_list(&self.key_variable)),
            other => other,
        }
    }

    /// The key's project, off any run of it: the API does not tell a key what it is for.
    async fn discover_project(&self) -> Result<Discovery<ProjectRecord>, Error> {
        let mut found = Discovery { items: vec![], rejected: vec![], failed: vec![], drift: vec![] };
        // Without a filter the list is of model calls; with any, of all types.
        let queries: &[&str] =
            if self.settings.filter.is_llm_only() { &["limit=1"] } else { &["limit=1", "date=gte.1970-01-02&limit=1"] };
        for query in queries {
            self.describe_any(&self.fetch_list(LIST, query).await?, &mut found)?;
            if !found.items.is_empty() {
                break;
            }
        }
        Ok(found)
    }

    /// Adds the project of the first row that says which it is.
    fn describe_any(&self, body: &str, found: &mut Discovery<ProjectRecord>) -> Result<(), Error> {
        let (rows, _) = pages::envelope(LIST, body)?;
        for row in rows {
            let drift = DriftLog::default();
            let project = self.describe(row, &drift);
            found.drift.extend(drift.into_drifts());
            match project {
                Ok(project) => {
                    found.items.push(project);
                    break;
                }
                Err(why) => found.rejected.push(why.reject(row.get())),
            }
        }
        Ok(())
    }

    /// Reads an answer of `GET /runs` as the one that tells the key's project. Needs no network, so fuzzers can call it.
    ///
    /// # Errors
    ///
    /// [`Error::Decode`] when the body is no list.
    pub fn decode_project(&self, body: &str) -> Result<Discovery<ProjectRecord>, Error> {
        let mut found = Discovery { items: vec![], rejected: vec![], failed: vec![], drift: vec![] };
        self.describe_any(&repair::repair(body), &mut found)?;
        Ok(found)
    }

    /// Reads an answer of `GET /runs` as a page of a day, from `cursor` on. Needs no network, so fuzzers can call it.
    ///
    /// # Errors
    ///
    /// [`Error::Decode`] when the body is no list, or of rows that were not asked for. Rows that cannot be understood
    /// are put aside in the page.
    pub fn decode_runs(
        &self,
        project: &ProjectRecord,
        day: Day,
        cursor: Option<&Cursor>,
        body: &str,
    ) -> Result<Page, Error> {
        let (what, place) = (format!("runs of {day}"), Place::of(cursor, day));
        let asked = Asked { what: &what, project: &project.key, day, place: &place, limit: self.page_rows };
        match pages::read(asked, &self.settings, &repair::repair(body))? {
            Answer::Page(page) => Ok(*page),
            Answer::NoRoom => Err(asked.no_room()),
        }
    }

    fn describe(&self, row: &RawValue, drift: &DriftLog) -> Result<ProjectRecord, super::fields::Unreadable> {
        let run = Fields::read(&RUN, row, drift)?;
        let key = run.word("projectId")?.into_owned();
        if key.len() > 64 || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return Err(super::fields::Unreadable("`projectId` is not an id".to_owned()));
        }
        Ok(ProjectRecord {
            raw: serde_json::json!({ "projectId": key }).to_string(),
            key,
            account: None,
            name: self.project_name.clone(),
            website: None,
            brands: vec![],
            latest_day: run.opt_instant("createdAt").map(Day::of),
        })
    }

    async fn page(
        &self,
        project: &ProjectRecord,
        slice: &Slice,
        cursor: Option<&Cursor>,
        known: &Known<'_>,
    ) -> Result<Page, Error> {
        let day = slice.last_day;
        let (what, place) = (format!("runs of {day}"), Place::of(cursor, day));
        let mut limit = self.page_rows;
        let mut page = loop {
            let asked = Asked { what: &what, project: &project.key, day, place: &place, limit };
            let body = match self.fetch_list(&what, &asked.query()).await {
                // Fewer of them, then: but never fewer than were needed to get on.
                Err(Error::TooLarge { .. }) if limit <= self.page_rows && limit > MIN_ROWS => {
                    limit = (limit / 4).max(MIN_ROWS);
                    continue;
                }
                other => other?,
            };
            match pages::read(asked, &self.settings, &body)? {
                Answer::Page(page) => break *page,
                Answer::NoRoom if limit >= MAX_ROWS => return Err(asked.no_room()),
                // Past the usual size at once, lest it be made smaller again.
                Answer::NoRoom => limit = (limit * 2).max(self.page_rows + 1),
            }
        };
        if self.run_details {
            self.add_traces(project, &mut page, known).await?;
        }
        Ok(page)
    }

    /// Asks for runs that have ended and are not stored yet by their ids: the list does not say which trace they are of.
    async fn add_traces(&self, project: &ProjectRecord, page: &mut Page, known: &Known<'_>) -> Result<(), Error> {
        for run in page.runs.iter_mut().filter(|run| !run.status.is_open()) {
            let hash = run.raw_hash ^ WITH_TRACE;
            if known(&run.key, hash) {
                run.raw_hash = hash;
                continue;
            }
            let request = Request { what: format!("run {}", run.key), url: self.http.url(["runs", &run.key]) };
            match self.fetch(&request).await {
                Ok(body) => {
                    page.bytes += body.len() as u64;
                    add_trace(run, project, &body, hash);
                }
                Err(error) if error.is_transient() || error.is_fatal_to_source() => return Err(error),
                // The run keeps its place without it, and is asked for again.
                Err(_) => {}
            }
        }
        Ok(())
    }
}

/// Puts the trace of a run, as it was given by its id, into its record. The API looks ids up in the whole
/// organisation, so that it is made sure whose run it is.
fn add_trace(run: &mut RunRecord, project: &ProjectRecord, body: &str, hash: u64) {
    let drift = DriftLog::default();
    let Ok(detail) = serde_json::from_str::<&RawValue>(body) else { return };
    let Ok(detail) = Fields::read(&RUN_BY_ID, detail, &drift) else { return };
    let is_same = |name: &str, value: &str| detail.opt_word(name).is_some_and(|id| id.eq_ignore_ascii_case(value));
    if !is_same("projectId", &project.key) || !is_same("id", &run.key) {
        return;
    }
    let trace = detail.get("traceId").map_or("null", RawValue::get);
    if let Some(rest) = run.raw.trim_end().strip_suffix('}') {
        let comma = if rest.trim_end().ends_with('{') { "" } else { "," };
        run.raw = format!("{rest}{comma}\"traceId\":{trace}}}");
        run.raw_hash = hash;
    }
}

impl Upstream for Lunary {
    fn source(&self) -> &SourceName {
        &self.source
    }

    fn kind(&self) -> UpstreamKind {
        UpstreamKind::Lunary
    }

    /// Runs tell nothing of when they were changed, so that recent ones are read again once a day.
    fn look_back_days(&self) -> i32 {
        LOOK_BACK_DAYS
    }

    fn fetch_projects(&self) -> Fetch<'_, Discovery<ProjectRecord>> {
        Box::pin(self.discover_project())
    }

    fn fetch_slices<'a>(&'a self, _: &'a ProjectRecord, days: DayRange) -> Fetch<'a, Discovery<Slice>> {
        Box::pin(self.discover_slices(days))
    }

    fn fetch_pages<'a>(
        &'a self,
        project: &'a ProjectRecord,
        wanted: &'a [Wanted<'a>],
        known: &'a Known<'a>,
    ) -> Fetch<'a, Vec<Result<Page, Error>>> {
        Box::pin(async move {
            let mut pages = Vec::with_capacity(wanted.len());
            for Wanted { slice, cursor } in wanted {
                pages.push(self.page(project, slice, *cursor, known).await);
            }
            Ok(pages)
        })
    }

    fn requests(&self, _: &ProjectRecord, slices: &[&Slice]) -> u64 {
        slices.iter().map(|slice| self.requests_for(slice)).sum()
    }
}

#[cfg(test)]
mod tests;
