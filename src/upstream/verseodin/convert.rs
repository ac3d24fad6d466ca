//! Prompt rows and history rows, from the wire to the model. No network, no clock.

use super::{
    brands::Rivals,
    contract::{ENGINES, HISTORY_IDENTITY, HISTORY_ROW, PROMPT_ROW, STATUSES},
};
use crate::{
    model::{
        BrandFact, BrandKey, BrandKind, CitationRecord, Day, ProjectRecord, PromptRecord, Published, RunRecord, Status,
        Surface, host_of,
    },
    upstream::{
        DriftKind, Error, Page,
        fields::{self, DriftLog, Entries, Fields, Unreadable, clean},
    },
};
use serde_json::value::RawValue;
use std::{
    borrow::Cow,
    collections::HashMap,
    iter::{once, repeat},
    mem,
};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

const MAX_WORD: usize = 64;

/// Reads one page of `GET /universes/{id}/prompts`; its `next` is none. Needs no network, so benchmarks and fuzzers
/// can call it.
///
/// # Errors
///
/// [`Error::Decode`] when the body is not a JSON object with a list `data`. Rows that cannot be understood are put
/// aside in the page.
pub fn decode_prompts(project: &ProjectRecord, body: &[u8]) -> Result<Page, Error> {
    let what = "a page of prompts";
    prompts_page(what, project, None, None, text(what, body)?).map(|(page, _)| page)
}

/// Reads the answer of `GET /universes/{id}/history`, as [`decode_prompts`] reads prompts.
///
/// # Errors
///
/// As [`decode_prompts`].
pub fn decode_history(project: &ProjectRecord, body: &[u8]) -> Result<Page, Error> {
    let what = "history";
    history_page(what, project, text(what, body)?)
}

fn text<'a>(what: &str, body: &'a [u8]) -> Result<&'a str, Error> {
    std::str::from_utf8(body).map_err(|_| Error::Decode { what: what.to_owned(), detail: "not UTF-8".to_owned() })
}

/// As [`decode_prompts`], of the rows asked for a day. Also gives the last row, by the hash of what makes it the same
/// row at the next reading.
///
/// `above` is the row that the page before ended with, which this one must begin with: it is left out.
pub(super) fn prompts_page(
    what: &str,
    project: &ProjectRecord,
    day: Option<Day>,
    above: Option<u64>,
    body: &str,
) -> Result<(Page, Option<u64>), Error> {
    let rows = fields::rows(what, &["data"], body)?;
    let drift = DriftLog::default();
    // Differs from the history page's: two empty pages of different kinds are not the same page.
    let mut digest = Xxh3::with_seed(1);
    let mut page = empty_page(body);
    let mut reader = PromptReader::new(project, &drift);
    let mut last = None;
    page.runs.reserve(rows.len());
    for (row, is_first) in rows.into_iter().zip(once(true).chain(repeat(false))) {
        let hash = xxh3_64(row.get().as_bytes());
        digest.update(&hash.to_le_bytes());
        let read = reader.read(row, hash);
        last = Some(read.as_ref().map_or(hash, |run| xxh3_64(run.key.as_bytes())));
        if is_first && last == above {
            continue;
        }
        page.moved |= is_first && above.is_some();
        match read {
            Ok(run) => {
                if day.is_some_and(|day| run.day != day) {
                    drift.note(PROMPT_ROW.record, "day", DriftKind::UnknownValue);
                }
                page.runs.push(run);
            }
            Err(unreadable) => page.rejected.push(unreadable.reject(row.get())),
        }
    }
    drop(reader);
    page.moved |= above.is_some() && last.is_none();
    Ok((Page { digest: digest.digest(), drift: drift.into_drifts(), ..page }, last))
}

/// Reads the answer of `GET /universes/{id}/history`: every column of every row is a published figure.
pub(super) fn history_page(what: &str, project: &ProjectRecord, body: &str) -> Result<Page, Error> {
    let rows = fields::rows(what, &["data"], body)?;
    let drift = DriftLog::default();
    let mut digest = Xxh3::with_seed(2);
    let mut page = empty_page(body);
    for row in rows {
        digest.update(row.get().as_bytes());
        match history_row(project, row, &drift) {
            Ok(figures) => page.published.extend(figures),
            Err(unreadable) => page.rejected.push(unreadable.reject(row.get())),
        }
    }
    Ok(Page { digest: digest.digest(), drift: drift.into_drifts(), ..page })
}

/// A page without anything, of which only its size is known.
pub(super) fn empty_page(body: &str) -> Page {
    Page {
        runs: vec![],
        rejected: vec![],
        published: vec![],
        drift: vec![],
        next: None,
        moved: false,
        digest: 0,
        bytes: body.len() as u64,
    }
}

fn history_row(project: &ProjectRecord, row: &RawValue, drift: &DriftLog) -> Result<Vec<Published>, Unreadable> {
    let row = Fields::read(&HISTORY_ROW, row, drift)?;
    check_universe(project, &row)?;
    let day = row.day("day")?;
    let engine = row.opt_word("engine").map(|engine| engine_name(&row, &engine));
    let columns = row.entries().filter(|(column, _)| !HISTORY_IDENTITY.contains(column));
    let figure = |(column, value): (&str, &RawValue)| {
        Some(Published {
            day,
            engine: engine.clone(),
            brand: None,
            metric: clean(column, MAX_WORD),
            value: row.json(column, value)?,
        })
    };
    Ok(columns.filter_map(figure).collect())
}

/// A row of another universe would be one client's data in another's answer.
fn check_universe(project: &ProjectRecord, row: &Fields<'_, '_>) -> Result<(), Unreadable> {
    match row.opt_word("universe_id") {
        Some(id) if !id.eq_ignore_ascii_case(&project.key) => {
            Err(Unreadable("it belongs to another universe than the one asked for".to_owned()))
        }
        _ => Ok(()),
    }
}

/// The engine's name in our spelling: lower case.
fn engine_name(row: &Fields<'_, '_>, engine: &str) -> String {
    let engine = clean(engine, MAX_WORD).to_lowercase();
    row.expect_one_of("engine", &engine, ENGINES);
    engine
}

fn status_of(row: &Fields<'_, '_>) -> Status {
    let Some(status) = row.opt_word("status") else { return Status::Unknown("unknown".to_owned()) };
    let status = clean(&status, MAX_WORD).to_lowercase();
    row.expect_one_of("status", &status, STATUSES);
    match status.as_str() {
        "processing" => Status::Running,
        "completed" => Status::Finished,
        _ => Status::from(status),
    }
}

/// Reads rows of one page; what neighbouring rows have in common is read once.
struct PromptReader<'a> {
    project: &'a ProjectRecord,
    own: Option<&'a BrandKey>,
    drift: &'a DriftLog,
    configured: Rivals,
    /// The competitors captured by the last rows, by the JSON text that lists them.
    captured: Option<(&'a str, Rivals)>,
    /// The memory of the last row's fields.
    entries: Entries<'a>,
}

impl<'a> PromptReader<'a> {
    fn new(project: &'a ProjectRecord, drift: &'a DriftLog) -> Self {
        let own = project.brands.iter().find(|brand| brand.kind == BrandKind::Own).map(|brand| &brand.key);
        Self { project, own, drift, configured: Rivals::configured(project), captured: None, entries: vec![] }
    }

    fn read(&mut self, raw: &'a RawValue, raw_hash: u64) -> Result<RunRecord, Unreadable> {
        let row = Fields::read_into(mem::take(&mut self.entries), &PROMPT_ROW, raw, self.drift)?;
        let run = self.run(&row, raw_hash);
        self.entries = row.into_entries();
        run
    }

    fn run(&mut self, row: &Fields<'a, '_>, raw_hash: u64) -> Result<RunRecord, Unreadable> {
        check_universe(self.project, row)?;
        let day = row.day("day")?;
        let number = row.integer("prompt_id")?;
        let text = row.word("prompt_text")?.into_owned();
        let engine = engine_name(row, &row.word("engine")?);
        let status = status_of(row);

        let links = self.links(row);
        let started_at = row.opt_instant("started_at");
        let finished_at = row.opt_instant("finished_at");
        let created_at = row.opt_instant("created_at").or(started_at).or(finished_at).unwrap_or_else(|| day.start());
        let finished = status == Status::Finished;
        Ok(RunRecord {
            key: format!("{day}/{engine}/{number}"),
            upstream_id: row.opt_word("id").map(Cow::into_owned),
            prompt: PromptRecord { key: text.clone(), text, topic: None, label: Some(number.to_string()) },
            engine,
            model: row.opt_word("model_used").map(Cow::into_owned),
            surface: Surface::Consumer,
            failure_reason: row.opt_word("error_text").map(Cow::into_owned),
            day,
            created_at,
            started_at,
            finished_at,
            answer: row.opt_text("response_text").filter(|answer| !answer.trim().is_empty()).map(Cow::into_owned),
            facts: if finished { self.facts(row, &links) } else { vec![] },
            // An open run has no list yet; an empty one says nothing.
            citations: links.citations.filter(|citations| finished || !citations.is_empty()),
            source_urls: vec![],
            total_citations: row.opt_count("total_citations_count"),
            status,
            web_search: row.opt_boolean("web_search_triggered"),
            #[expect(clippy::cast_precision_loss, reason = "thousandths of a cent, far below 2^53")]
            cost_usd: row.opt_integer("cost_milli_cents").map(|cost| cost as f64 / 100_000.0),
            raw: row.raw_without("response_text"),
            raw_hash,
        })
    }

    fn rivals(&mut self, row: &Fields<'a, '_>) -> &Rivals {
        let Some(list) = row.get("competitor_websites") else { return &self.configured };
        if self.captured.as_ref().is_none_or(|(text, _)| *text != list.get()) {
            let items = row.opt_list("competitor_websites").unwrap_or_default();
            self.captured = Some((list.get(), Rivals::captured(&items, self.project, self.drift)));
        }
        self.captured.as_ref().map_or(&self.configured, |(_, rivals)| rivals)
    }

    /// The URLs of a row, each with its place and its owner.
    fn links(&mut self, row: &Fields<'a, '_>) -> Links {
        let listed = row
            .opt_texts("appeared_links_unique")
            .filter(|links| !links.is_empty())
            .or_else(|| row.opt_texts("appeared_links"))
            .or_else(|| row.opt_texts("appeared_links_unique"));
        let own = row.opt_texts("my_citations");
        let rival = row.opt_texts("competitor_citations");
        let (project, own_key) = (self.project, self.own);
        let rivals = self.rivals(row);

        let known = listed.is_some() || own.is_some() || rival.is_some();
        let mut places = Places::default();
        for url in listed.iter().flatten() {
            places.add(url);
        }
        let mut links = Links { own_count: own.as_ref().map(Vec::len), rival_counts: None, citations: None };
        for url in own.iter().flatten() {
            places.own(url, own_key);
        }
        if let Some(urls) = &rival {
            let mut counts: Vec<(BrandKey, usize)> = rivals.keys().map(|key| (key.clone(), 0)).collect();
            for url in urls {
                let owner = host_of(url).and_then(|host| rivals.owner(project, &host));
                places.own(url, owner);
                if let Some(owner) = owner {
                    match counts.iter_mut().find(|(key, _)| key == owner) {
                        Some((_, count)) => *count += 1,
                        None => counts.push((owner.clone(), 1)),
                    }
                }
            }
            links.rival_counts = Some(counts);
        }
        links.citations = known.then_some(places.citations);
        links
    }

    fn facts(&self, row: &Fields<'_, '_>, links: &Links) -> Vec<BrandFact> {
        let mut facts = vec![];
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        if let Some(own) = self.own {
            let mentions = row.opt_count("my_brand_mentions_count");
            let citations = row.opt_count("my_domain_citations_count").or(links.own_count.map(count));
            if mentions.is_some() || citations.is_some() {
                let best_citation_position = links.best_position(own);
                facts.push(BrandFact {
                    mentions,
                    citations,
                    best_citation_position,
                    ..BrandFact::unchecked(own.clone())
                });
            }
        }
        for (rival, number) in links.rival_counts.iter().flatten() {
            facts.push(BrandFact {
                citations: Some(count(*number)),
                best_citation_position: links.best_position(rival),
                ..BrandFact::unchecked(rival.clone())
            });
        }
        facts
    }
}

/// What the links of a row come to.
struct Links {
    citations: Option<Vec<CitationRecord>>,
    /// Length of the list of own citations, where there is one.
    own_count: Option<usize>,
    /// Citations of each competitor, where the upstream listed them.
    rival_counts: Option<Vec<(BrandKey, usize)>>,
}

impl Links {
    fn best_position(&self, brand: &BrandKey) -> Option<u32> {
        let place = self.citations.as_ref()?.iter().position(|citation| citation.brand.as_ref() == Some(brand))?;
        u32::try_from(place + 1).ok()
    }
}

/// URLs in order of first appearance, each once.
#[derive(Default)]
struct Places<'u> {
    citations: Vec<CitationRecord>,
    /// Where each is, once there are too many to look through.
    index: HashMap<&'u str, usize>,
}

impl<'u> Places<'u> {
    /// Up to so many, looking through them is the quickest.
    const FEW: usize = 32;

    fn add(&mut self, url: &'u str) -> Option<&mut CitationRecord> {
        let url = url.trim();
        if url.is_empty() {
            return None;
        }
        let few = self.citations.len() <= Self::FEW;
        let known = self.citations.iter().take(Self::FEW).position(|citation| citation.url == url);
        let known = known.or_else(|| if few { None } else { self.index.get(url).copied() });
        let place = known.unwrap_or(self.citations.len());
        if known.is_none() {
            if place >= Self::FEW {
                self.index.insert(url, place);
            }
            self.citations.push(CitationRecord { url: url.to_owned(), brand: None, quality: None });
        }
        self.citations.get_mut(place)
    }

    /// Attributes a URL, unless it is somebody's already.
    fn own(&mut self, url: &'u str, owner: Option<&BrandKey>) {
        if let Some(citation) = self.add(url).filter(|citation| citation.brand.is_none()) {
            citation.brand = owner.cloned();
        }
    }
}

#[cfg(test)]
mod tests;
