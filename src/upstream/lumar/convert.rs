//! Runs and scores, from the wire to the model. No network, no clock.

use super::{
    brands,
    contract::{CITATION, DETAILS, ENGINES, MENTION, RUN, SCORE, SCORES, STATUSES},
    ids,
};
use crate::{
    model::{
        BrandFact, BrandKey, CitationRecord, Day, ProjectRecord, PromptRecord, Published, RunRecord, Status, Surface,
    },
    upstream::{
        DriftKind,
        fields::{DriftLog, Fields, Unreadable, clean},
    },
};
use jiff::Timestamp;
use serde_json::{json, value::RawValue};
use std::borrow::Cow;

const MAX_WORD: usize = 64;

/// A run as one brand's list shows it.
#[derive(Clone, Debug)]
pub(super) struct Sight {
    pub(super) id: String,
    pub(super) status: Status,
    engine: String,
    surface: Surface,
    visible: Option<bool>,
    citations: Option<u32>,
    mentions: Option<u32>,
    best_position: Option<u32>,
    sentiment: Option<f64>,
    created_at: Timestamp,
    failure_reason: Option<String>,
    pub(super) raw: String,
}

impl Sight {
    /// Reads a row of a list of runs.
    ///
    /// # Errors
    ///
    /// Why it means nothing: it has no id or no instant.
    pub(super) fn read(raw: &RawValue, drift: &DriftLog) -> Result<Self, Unreadable> {
        let row = Fields::read(&RUN, raw, drift)?;
        let id = row.word("id")?.into_owned();
        if !ids::is_id(&id) {
            return Err(Unreadable("`id` is not an id".to_owned()));
        }
        let Some(created_at) = row.opt_instant("createdAt") else {
            return Err(Unreadable("`createdAt` is not an instant".to_owned()));
        };
        let (engine, surface) = engine_of(&row, drift);
        Ok(Self {
            id,
            status: status_of(&row, drift),
            engine,
            surface,
            visible: row.opt_boolean("brandVisible"),
            citations: row.opt_count("totalBrandCitations"),
            mentions: row.opt_count("totalBrandMentions"),
            best_position: row.opt_count("bestBrandPosition"),
            sentiment: row.opt_number("avgBrandSentiment"),
            created_at,
            failure_reason: row.opt_word("failureReason").map(Cow::into_owned),
            raw: raw.get().to_owned(),
        })
    }

    /// Does the list say that the brand is mentioned or cited?
    pub(super) fn shows_the_brand(&self) -> bool {
        self.visible == Some(true) || self.citations.is_some_and(|n| n > 0) || self.mentions.is_some_and(|n| n > 0)
    }
}

fn status_of(row: &Fields<'_, '_>, drift: &DriftLog) -> Status {
    let Some(status) = row.opt_word("status") else { return Status::Unknown("unknown".to_owned()) };
    let status = clean(&status, MAX_WORD).to_lowercase();
    if !STATUSES.contains(&status.as_str()) {
        drift.note(RUN.record, "status", DriftKind::UnknownValue);
    }
    Status::from(status)
}

fn engine_of(row: &Fields<'_, '_>, drift: &DriftLog) -> (String, Surface) {
    let Some(provider) = row.opt_word("aiProviderType") else { return ("unknown".to_owned(), Surface::Consumer) };
    let provider = clean(&provider, MAX_WORD);
    let folded = provider.to_lowercase().replace(['_', '-', ' '], "");
    let surface = if folded.ends_with("api") { Surface::Api } else { Surface::Consumer };
    let known = ENGINES.iter().find(|(name, _)| *name == folded);
    if known.is_none() {
        drift.note(RUN.record, "aiProviderType", DriftKind::UnknownValue);
    }
    (known.map_or_else(|| snake_case(&provider), |(_, engine)| (*engine).to_owned()), surface)
}

/// `GoogleAiMode` as `google_ai_mode`.
fn snake_case(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    let mut was_small = false;
    for c in name.chars() {
        if c.is_uppercase() && was_small {
            text.push('_');
        }
        was_small = c.is_lowercase() || c.is_ascii_digit();
        text.extend(c.to_lowercase().map(|c| if c.is_alphanumeric() { c } else { '_' }));
    }
    text
}

/// A run as all tracked brands' lists show it, the own brand's first.
#[derive(Clone, Debug)]
pub(super) struct Joined<'p> {
    pub(super) sights: Vec<(&'p BrandKey, Sight)>,
    /// Hash of all that the lists say.
    pub(super) hash: u64,
}

/// What was asked of a run beyond the lists, brand by brand.
pub(super) type Details<'d> = [(&'d BrandKey, &'d RawValue)];

/// The details of one run from one brand, taken apart.
#[derive(Debug, Default)]
struct View {
    answer: Option<String>,
    searched: Option<bool>,
    score: Option<f64>,
    /// URL, position and quality; none where there is no list.
    own: Option<Vec<Cited>>,
    others: Option<Vec<Cited>>,
    mention_quality: Option<f64>,
    justification: Option<String>,
    raw: String,
}

#[derive(Clone, Debug)]
struct Cited {
    url: String,
    position: Option<u32>,
    quality: Option<f64>,
    brand: Option<BrandKey>,
}

/// The record of a run.
pub(super) fn run(
    project: &ProjectRecord,
    prompt: &PromptRecord,
    joined: &Joined<'_>,
    details: &Details<'_>,
    drift: &DriftLog,
) -> Result<RunRecord, Unreadable> {
    let Some((_, first)) = joined.sights.first() else { return Err(Unreadable("no list has it".to_owned())) };
    let views = details
        .iter()
        .map(|(brand, raw)| View::read(project, brand, raw, drift).map(|view| (*brand, view)))
        .collect::<Result<Vec<_>, _>>()?;
    let finished = first.status == Status::Finished;
    let facts = joined.sights.iter().filter(|_| finished).map(|(brand, sight)| {
        let view = views.iter().find(|(viewer, _)| viewer == brand).map(|(_, view)| view);
        let own = view.and_then(|view| view.own.as_ref());
        BrandFact {
            mentions: sight.mentions,
            citations: sight.citations,
            best_citation_position: sight.best_position,
            sentiment: sight.sentiment,
            sentiment_justification: view.and_then(|view| view.justification.clone()),
            mention_quality: view.and_then(|view| view.mention_quality),
            citation_quality: own.and_then(|cited| mean(cited.iter().filter_map(|cited| cited.quality))),
            visibility_score: view.and_then(|view| view.score),
            ..BrandFact::unchecked((*brand).clone())
        }
    });
    Ok(RunRecord {
        key: first.id.clone(),
        upstream_id: Some(first.id.clone()),
        prompt: prompt.clone(),
        engine: first.engine.clone(),
        model: None,
        surface: first.surface,
        status: first.status.clone(),
        failure_reason: first.failure_reason.clone(),
        day: Day::of(first.created_at),
        created_at: first.created_at,
        started_at: None,
        finished_at: None,
        answer: views.iter().find_map(|(_, view)| view.answer.clone()),
        citations: citations(&views),
        source_urls: vec![],
        total_citations: None,
        facts: facts.collect(),
        web_search: views.iter().find_map(|(_, view)| view.searched),
        cost_usd: None,
        raw: raw_of(joined, &views),
        raw_hash: joined.hash,
    })
}

/// The upstream's records as they came, by brand.
fn raw_of(joined: &Joined<'_>, views: &[(&BrandKey, View)]) -> String {
    let member = |(brand, raw): (&BrandKey, &str)| format!("{}:{raw}", json!(brand.0));
    let list: Vec<String> = joined.sights.iter().map(|(brand, sight)| member((brand, &sight.raw))).collect();
    let details: Vec<String> = views.iter().map(|(brand, view)| member((brand, &view.raw))).collect();
    format!("{{\"list\":{{{}}},\"details\":{{{}}}}}", list.join(","), details.join(","))
}

/// The URLs of all views, by position; whose they are is said by the view of the brand that they are of.
fn citations(views: &[(&BrandKey, View)]) -> Option<Vec<CitationRecord>> {
    let own = views.iter().filter_map(|(_, view)| view.own.as_ref());
    let lists: Vec<&Vec<Cited>> = own.chain(views.iter().filter_map(|(_, view)| view.others.as_ref())).collect();
    if lists.is_empty() {
        return None;
    }
    let mut all: Vec<Cited> = vec![];
    for cited in lists.into_iter().flatten() {
        match all.iter_mut().find(|known| known.position == cited.position && known.url == cited.url) {
            Some(known) => {
                known.brand = known.brand.take().or_else(|| cited.brand.clone());
                known.quality = known.quality.or(cited.quality);
            }
            None => all.push(cited.clone()),
        }
    }
    // Stable: those without a position come last, as they came.
    all.sort_by_key(|cited| cited.position.unwrap_or(u32::MAX));
    let record = |cited: Cited| CitationRecord { url: cited.url, brand: cited.brand, quality: cited.quality };
    Some(all.into_iter().map(record).collect())
}

impl View {
    fn read(project: &ProjectRecord, brand: &BrandKey, raw: &RawValue, drift: &DriftLog) -> Result<Self, Unreadable> {
        let row = Fields::read(&DETAILS, raw, drift)?;
        let mut qualities = vec![];
        let mut reasons: Vec<String> = vec![];
        for mention in row.opt_list("brandMentions").unwrap_or_default() {
            let Ok(mention) = Fields::read(&MENTION, mention, drift) else { continue };
            let named = mention.opt_word("brandName").and_then(|name| brands::named(project, &name));
            // The list is said to be the brand's own; it names brands all the same.
            if named.is_some_and(|named| named.key != *brand) {
                continue;
            }
            qualities.extend(mention.opt_number("brandMentionQualityScore"));
            let reason = mention.opt_word("sentimentJustification");
            reasons.extend(reason.filter(|new| !reasons.iter().any(|known| *known == **new)).map(Cow::into_owned));
        }
        let cited = |name, owner: Option<&BrandKey>| {
            let rows = row.opt_list(name)?;
            Some(rows.into_iter().filter_map(|row| Cited::read(project, owner, row, drift)).collect())
        };
        Ok(Self {
            answer: row.opt_text("fullAnswerText").filter(|answer| !answer.trim().is_empty()).map(Cow::into_owned),
            // An empty list may mean that it is not known: it is missing for many runs.
            searched: row.opt_list("searchQueries").is_some_and(|queries| !queries.is_empty()).then_some(true),
            score: row.opt_number("visibilityScore"),
            own: cited("brandCitations", Some(brand)),
            others: cited("otherBrandCitations", None),
            mention_quality: mean(qualities.into_iter()),
            justification: (!reasons.is_empty()).then(|| reasons.join("\n")),
            raw: row.raw_without("fullAnswerText"),
        })
    }
}

impl Cited {
    fn read(project: &ProjectRecord, owner: Option<&BrandKey>, raw: &RawValue, drift: &DriftLog) -> Option<Self> {
        let row = Fields::read(&CITATION, raw, drift).ok()?;
        let url = row.opt_word("url")?.into_owned();
        let named = || Some(brands::named(project, &row.opt_word("brandName")?)?.key.clone());
        Some(Self {
            url,
            position: row.opt_count("position"),
            quality: row.opt_number("citationQualityScore"),
            brand: owner.cloned().or_else(named),
        })
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// The figures of one brand's day.
///
/// # Errors
///
/// Why it means nothing: it has no day.
pub(super) fn scores(brand: &BrandKey, raw: &RawValue, drift: &DriftLog) -> Result<Vec<Published>, Unreadable> {
    let row = Fields::read(&SCORE, raw, drift)?;
    let day = row.day("date")?;
    let figure = |(names, metric): &(&[&str], &str)| {
        // Null is a value as well: none, where there may have been one.
        let given = |wanted: &&str| row.entries().find(|(name, _)| name == wanted);
        let all: Vec<(&str, &RawValue)> = names.iter().filter_map(given).collect();
        let (name, value) = all.iter().find(|(_, value)| value.get() != "null").or_else(|| all.first())?;
        Some(Published {
            day,
            engine: None,
            brand: Some(brand.clone()),
            metric: (*metric).to_owned(),
            value: row.json(name, value)?,
        })
    };
    Ok(SCORES.iter().filter_map(figure).collect())
}

#[cfg(test)]
mod tests;
