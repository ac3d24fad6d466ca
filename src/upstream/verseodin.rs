//! Verseodin: universes, days of a universe, pages of a day. REST, read only.
//!
//! A slice is one UTC day of a universe: its prompt rows by offset, then its history row per engine.

mod brands;
mod contract;
mod convert;

pub use convert::{decode_history, decode_prompts};

use super::{
    Cursor, Discovery, Drift, DriftKind, Error, Fetch, Known, Limits, Page, Rejected, Slice, Upstream, Wanted,
    fields::{self, DriftLog, Fields, Unreadable},
    http::{Auth, Http, HttpConfig, Request},
    rate::Quota,
};
use crate::model::{Day, DayRange, ProjectRecord, SourceName, UpstreamKind};
use brands::Roster;
use contract::{ENGINES, METRICS, UNIVERSE, UNIVERSE_DETAIL};
use secrecy::SecretString;
use serde_json::value::RawValue;
use std::{collections::BTreeSet, time::Duration};
use url::Url;

/// The documented bucket: 60 requests, one per second back.
const QUOTA: Quota = Quota { capacity: 60, refill: Duration::from_mins(1) };

/// The largest page that the API gives.
const PAGE_ROWS: u64 = 1000;

/// What a 404 on rows means.
const NO_ROWS: &str = r#"{"data":[]}"#;

/// What a Verseodin source is made of.
#[derive(Clone, Debug)]
pub struct VerseodinConfig {
    /// The source's name.
    pub source: SourceName,
    /// The key, `vso_` and 48 hex digits.
    pub api_key: SecretString,
    /// The address, up to and with `/api/v1`.
    pub base_url: Url,
    /// The variable that holds the key, for messages.
    pub key_variable: String,
    /// Waits, tries and sizes.
    pub limits: Limits,
}

/// One Verseodin account.
#[derive(Debug)]
pub struct Verseodin {
    source: SourceName,
    http: Http,
}

impl Verseodin {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for an address that no key may be sent to, and for a key that cannot be sent.
    pub fn new(config: VerseodinConfig) -> Result<Self, Error> {
        let VerseodinConfig { source, api_key, base_url, key_variable, limits } = config;
        let http = Http::new(HttpConfig { base_url, auth: Auth::Bearer(api_key), key_variable, quota: QUOTA, limits })?;
        Ok(Self { source, http })
    }

    /// Something of a universe, or the universe itself: what was asked for, and the body, where there is one.
    async fn fetch_of(
        &self,
        id: &str,
        part: Option<&str>,
        query: &[(&str, &str)],
    ) -> Result<(String, Option<String>), Error> {
        let mut url = self.http.url(["universes", id].into_iter().chain(part));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let universe = format!("universe {id}");
        let what = part.map_or_else(|| universe.clone(), |part| format!("{part} of {universe}"));
        let request = Request { what, url };
        match self.http.fetch_optional(&request).await {
            Ok(body) => Ok((request.what, body)),
            // Rights are given by universe.
            Err(Error::Forbidden { .. }) => Err(Error::Forbidden { what: universe }),
            Err(error) => Err(error),
        }
    }

    async fn discover_projects(&self) -> Result<Discovery<ProjectRecord>, Error> {
        let request = Request { what: "the list of universes".to_owned(), url: self.http.url(["universes"]) };
        let body = self.http.fetch(&request).await?;
        let mut found = Discovery { items: vec![], rejected: vec![], failed: vec![], drift: vec![] };
        let mut seen = BTreeSet::new();
        for row in fields::rows(&request.what, &["universes", "data"], &body)? {
            let listed = match Listed::read(row, &mut found.drift) {
                Ok(listed) => listed,
                Err(unreadable) => {
                    found.rejected.push(unreadable.reject(row.get()));
                    continue;
                }
            };
            if !seen.insert(listed.id.clone()) {
                continue;
            }
            match self.discover_project(&listed, &mut found).await {
                Ok(project) => found.items.push(project),
                Err(error) if error.is_fatal_to_source() => return Err(error),
                Err(error) => found.failed.push(error),
            }
        }
        self.check_metrics(&mut found.drift).await?;
        found.drift.sort_unstable();
        found.drift.dedup();
        Ok(found)
    }

    async fn discover_project(
        &self,
        listed: &Listed,
        found: &mut Discovery<ProjectRecord>,
    ) -> Result<ProjectRecord, Error> {
        let (what, detail) = self.fetch_of(&listed.id, None, &[]).await?;
        let Some(detail) = detail else { return Err(Error::NotFound { what }) };
        let (listing, brands) = self.fetch_of(&listed.id, Some("brands"), &[]).await?;

        let drift = DriftLog::default();
        let brands = brands.as_deref().map(|body| (&*listing, body));
        let project = listed.describe(&what, &detail, brands, &drift);
        found.drift.extend(drift.into_drifts());
        let (project, rejected) = project?;
        found.rejected.extend(rejected);
        Ok(project)
    }

    /// Documented history columns that are gone are drift; new ones are the upstream's business.
    async fn check_metrics(&self, drift: &mut Vec<Drift>) -> Result<(), Error> {
        let request = Request { what: "the list of metrics".to_owned(), url: self.http.url(["metrics"]) };
        let names = match self.http.fetch(&request).await {
            Ok(body) => words(&request.what, &["data", "metrics"], &body, "Metrics", drift),
            Err(error) => Err(error),
        };
        match names {
            Ok(names) => {
                let gone = METRICS.iter().filter(|metric| names.iter().all(|name| name != *metric));
                drift.extend(gone.map(|metric| Drift {
                    record: "HistoryRow".to_owned(),
                    field: (*metric).to_owned(),
                    kind: DriftKind::MissingField,
                }));
                Ok(())
            }
            Err(error) if error.is_fatal_to_source() => Err(error),
            // Nothing that is kept hangs on it.
            Err(_) => Ok(()),
        }
    }

    async fn discover_slices(&self, project: &ProjectRecord) -> Result<Discovery<Slice>, Error> {
        let mut found = Discovery { items: vec![], rejected: vec![], failed: vec![], drift: vec![] };
        let (what, body) = self.fetch_of(&project.key, Some("days"), &[]).await?;
        let Some(body) = body else { return Ok(found) };
        let mut days = BTreeSet::new();
        for word in words(&what, &["data", "days"], &body, "Days", &mut found.drift)? {
            // A timestamp counts as the day that it is written for.
            match word.get(..10).unwrap_or(&word).parse::<Day>() {
                Ok(day) => drop(days.insert(day)),
                Err(_) => found.rejected.push(Unreadable("it is not a day".to_owned()).reject(&word)),
            }
        }
        found.items = days.into_iter().rev().map(Slice::of_day).collect();
        self.check_engines(project, &mut found.drift).await?;
        Ok(found)
    }

    /// Engines that the documentation does not name are kept, and noted.
    async fn check_engines(&self, project: &ProjectRecord, drift: &mut Vec<Drift>) -> Result<(), Error> {
        let engines = match self.fetch_of(&project.key, Some("engines"), &[]).await {
            Ok((_, None)) => Ok(vec![]),
            Ok((what, Some(body))) => words(&what, &["data", "engines"], &body, "Engines", drift),
            Err(error) => Err(error),
        };
        match engines {
            Ok(engines) => {
                if engines.iter().any(|engine| !ENGINES.contains(&engine.to_lowercase().as_str())) {
                    let (record, field) = ("Engines".to_owned(), "engine".to_owned());
                    drift.push(Drift { record, field, kind: DriftKind::UnknownValue });
                }
                Ok(())
            }
            Err(error) if error.is_fatal_to_source() => Err(error),
            Err(_) => Ok(()),
        }
    }

    async fn page(&self, project: &ProjectRecord, slice: &Slice, cursor: Option<&Cursor>) -> Result<Page, Error> {
        let day = slice.last_day;
        let day_text = day.to_string();
        match Place::of(cursor) {
            Place::Prompts { offset, above } => {
                let (limit, offset_text) = (PAGE_ROWS.to_string(), offset.to_string());
                let query = [("day", &*day_text), ("limit", &limit), ("offset", &offset_text)];
                let (what, body) = self.fetch_of(&project.key, Some("prompts"), &query).await?;
                let body = body.as_deref().unwrap_or(NO_ROWS);
                let (mut page, last) = convert::prompts_page(&what, project, Some(day), above, body)?;
                let new = (page.runs.len() + page.rejected.len()) as u64;
                let known = u64::from(above.is_some() && !page.moved);
                let next = match last {
                    Some(_) if new > 0 => {
                        Place::Prompts { offset: offset.saturating_add(known + new - 1), above: last }
                    }
                    _ => Place::History,
                };
                page.next = Some(next.cursor());
                Ok(page)
            }
            Place::History => {
                let (what, body) = self.fetch_of(&project.key, Some("history"), &[("day", &day_text)]).await?;
                convert::history_page(&what, project, body.as_deref().unwrap_or(NO_ROWS))
            }
        }
    }
}

impl Upstream for Verseodin {
    fn source(&self) -> &SourceName {
        &self.source
    }

    fn kind(&self) -> UpstreamKind {
        UpstreamKind::Verseodin
    }

    /// A re-run replaces the rows of its day; days before the two newest are final.
    fn look_back_days(&self) -> i32 {
        2
    }

    fn fetch_projects(&self) -> Fetch<'_, Discovery<ProjectRecord>> {
        Box::pin(self.discover_projects())
    }

    fn fetch_slices<'a>(&'a self, project: &'a ProjectRecord, _: DayRange) -> Fetch<'a, Discovery<Slice>> {
        Box::pin(self.discover_slices(project))
    }

    fn fetch_pages<'a>(
        &'a self,
        project: &'a ProjectRecord,
        wanted: &'a [Wanted<'a>],
        _: &'a Known<'a>,
    ) -> Fetch<'a, Vec<Result<Page, Error>>> {
        Box::pin(async move {
            let mut pages = Vec::with_capacity(wanted.len());
            for Wanted { slice, cursor } in wanted {
                pages.push(self.page(project, slice, *cursor).await);
            }
            Ok(pages)
        })
    }

    /// Of each day its rows, the end of its rows and its history.
    fn requests(&self, _: &ProjectRecord, slices: &[&Slice]) -> u64 {
        3 * slices.len() as u64
    }
}

/// Where in a slice a page begins.
///
/// Rows are read by offset, without a total: one that is deleted between two pages moves all others up by one, past
/// the reader. So each page begins with the row that the page before ended with; where it does not, rows have moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// At the prompt row of this offset; `above` is that row, where the page before had it.
    Prompts { offset: u64, above: Option<u64> },
    /// At the history rows, which are the last page.
    History,
}

impl Place {
    const START: Self = Self::Prompts { offset: 0, above: None };

    /// A cursor that cannot be read begins the slice anew.
    fn of(cursor: Option<&Cursor>) -> Self {
        let Some(Cursor(text)) = cursor else { return Self::START };
        if text == "history" {
            return Self::History;
        }
        let place = text.strip_prefix("prompts:").and_then(|text| {
            let (offset, above) = text.split_once(':')?;
            Some(Self::Prompts { offset: offset.parse().ok()?, above: Some(u64::from_str_radix(above, 16).ok()?) })
        });
        place.unwrap_or(Self::START)
    }

    fn cursor(self) -> Cursor {
        Cursor(match self {
            Self::Prompts { offset, above } => format!("prompts:{offset}:{:016x}", above.unwrap_or_default()),
            Self::History => "history".to_owned(),
        })
    }
}

/// A universe as the list of universes gives it.
#[derive(Debug)]
struct Listed {
    id: String,
    name: Option<String>,
    website: Option<String>,
    latest_day: Option<Day>,
}

impl Listed {
    fn read(row: &RawValue, drift: &mut Vec<Drift>) -> Result<Self, Unreadable> {
        let log = DriftLog::default();
        let listed = Fields::read(&UNIVERSE, row, &log).and_then(|row| {
            let id = row.word("id")?;
            // It becomes a part of addresses, keys and messages.
            if id.len() > 64 || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
                return Err(Unreadable("`id` is not an id".to_owned()));
            }
            let text = |name| row.opt_word(name).map(|text| fields::clean(&text, 500)).filter(|text| !text.is_empty());
            Ok(Self {
                id: id.into_owned(),
                name: text("universe_name"),
                website: text("website"),
                latest_day: row.opt_day("latest_day"),
            })
        });
        drift.extend(log.into_drifts());
        listed
    }

    /// The project, from the universe's record and the list of its brands.
    fn describe(
        &self,
        what: &str,
        body: &str,
        brands: Option<(&str, &str)>,
        drift: &DriftLog,
    ) -> Result<(ProjectRecord, Vec<Rejected>), Error> {
        let unreadable = |why: Unreadable| Error::Decode { what: what.to_owned(), detail: why.0 };
        let record = fields::member(what, &["data", "universe"], body)?;
        let detail = Fields::read(&UNIVERSE_DETAIL, record, drift).map_err(unreadable)?;
        let named = detail.first_of(&["universe_name", "name"]).and_then(|field| detail.opt_word(field));
        let name = named.map(|name| fields::clean(&name, 500)).or_else(|| self.name.clone());
        let name = name.unwrap_or_else(|| self.website.clone().unwrap_or_else(|| self.id.clone()));

        let mut roster = Roster::of_universe(&detail, &name, self.website.as_deref(), drift);
        let rejected = match brands {
            Some((what, body)) => roster.add_listed(fields::rows(what, &["data", "brands"], body)?, drift),
            None => vec![],
        };
        let project = ProjectRecord {
            key: self.id.clone(),
            account: None,
            name,
            website: self.website.clone(),
            brands: roster.into_brands(),
            latest_day: self.latest_day,
            raw: record.get().to_owned(),
        };
        Ok((project, rejected))
    }
}

/// Reads a universe as the list of universes has it, with the answers of `GET /universes/{id}` and
/// `GET /universes/{id}/brands`. Needs no network, so fuzzers can call it.
///
/// # Errors
///
/// [`Error::Decode`] when the universe cannot be understood. Brands that cannot be are put aside.
pub fn decode_universe(row: &str, detail: &str, brands: &str) -> Result<(ProjectRecord, Vec<Rejected>), Error> {
    let what = "a universe";
    let unreadable = |why: Unreadable| Error::Decode { what: what.to_owned(), detail: why.0 };
    let row: &RawValue = serde_json::from_str(row).map_err(|_| unreadable(Unreadable("it is no JSON".to_owned())))?;
    let listed = Listed::read(row, &mut vec![]).map_err(unreadable)?;
    listed.describe(what, detail, Some(("brands of a universe", brands)), &DriftLog::default())
}

/// A list of words; items that are no text are left out, and noted.
fn words(
    what: &str,
    names: &[&'static str],
    body: &str,
    record: &str,
    drift: &mut Vec<Drift>,
) -> Result<Vec<String>, Error> {
    let mut words = vec![];
    for item in fields::rows(what, names, body)? {
        if let Ok(word) = serde_json::from_str::<String>(item.get()) {
            words.push(word.trim().to_owned());
            continue;
        }
        let drifted = Drift { record: record.to_owned(), field: "data".to_owned(), kind: DriftKind::ChangedType };
        if !drift.contains(&drifted) {
            drift.push(drifted);
        }
    }
    Ok(words)
}

#[cfg(test)]
mod tests;
