//! Figures that the server works out of its rows: history rows and brand rows, by the API's own definitions.
//!
//! They count completed rows only, read names off the answers by themselves, and look at one day and engine at a time.

use super::tracker::{PromptRow, TrackedBrand, Universe, is_at};
use crate::{
    demo::{
        prose::count_names,
        rng::{real, uuid},
    },
    model::{Day, host_of},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_64;

/// The names of the columns that can be asked for one by one, as `GET /metrics` lists them.
pub(super) const METRICS: [&str; 11] = [
    "ai_coverage_over_time",
    "ai_trust_mentions",
    "ai_avg_trust_position",
    "ai_visibility_ranking",
    "ai_top_prompts_by_trust_mentions",
    "ai_visibility_index",
    "ai_citations_ranked_urls",
    "ai_competitive_analysis",
    "ai_domain_citation_count",
    "geo_competitor_analysis",
    "prompts_rows",
];

/// The scalar columns behind a dashboard tab; none for a tab that does not exist.
pub(super) fn tab_columns(tab: &str) -> Option<&'static [&'static str]> {
    match tab {
        "ai_visibility" => {
            Some(&["ai_coverage_over_time", "ai_trust_mentions", "ai_avg_trust_position", "ai_domain_citation_count"])
        }
        // Their columns are not documented, so the rows hold day and engine alone.
        "geo_audit" | "aeo_audit" | "monitors" => Some(&[]),
        _ => None,
    }
}

/// A brand's figures for a day and engine.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(super) struct BrandRow {
    pub(super) brand_name: String,
    pub(super) trust_mentions: usize,
    pub(super) share_of_voice: f64,
    pub(super) visibility_rank: usize,
    pub(super) ai_coverage_pct: f64,
    pub(super) geo_coverage_pct: f64,
    pub(super) geo_prompt_count: usize,
}

/// What a completed row says of each brand.
struct Reading<'r> {
    row: &'r PromptRow,
    /// Times each brand is named, in the universe's order.
    names: Vec<u32>,
    /// Does it cite the brand's site?
    cites: Vec<bool>,
}

/// A day on an engine, read.
pub(super) struct History<'r> {
    universe: &'r Universe,
    day: Day,
    engine: &'r str,
    readings: Vec<Reading<'r>>,
    all: Vec<&'r PromptRow>,
}

/// The history of a day, one for each engine that has a row in its final status, by engine.
pub(super) fn histories<'r>(universe: &'r Universe, day: Day, rows: &'r [PromptRow]) -> Vec<History<'r>> {
    let spellings: Vec<Vec<&str>> = universe.brands().map(TrackedBrand::spellings).collect();
    // Read once and not for each answer: with forty brands this is most of a world's work.
    let sites: Vec<Option<String>> = universe.brands().map(|brand| host_of(&brand.website)).collect();
    let cites = |row: &PromptRow| -> Vec<bool> {
        let hosts: Vec<String> = row.appeared_links.iter().filter_map(|url| host_of(url)).collect();
        let is_cited = |site: &Option<String>| site.as_ref().is_some_and(|site| hosts.iter().any(|h| is_at(h, site)));
        sites.iter().map(is_cited).collect()
    };
    let mut by_engine: BTreeMap<&str, Vec<&PromptRow>> = BTreeMap::new();
    for row in rows {
        by_engine.entry(&row.engine).or_default().push(row);
    }
    by_engine.retain(|_, rows| rows.iter().any(|row| row.is_terminal()));
    by_engine
        .into_iter()
        .map(|(engine, mut all)| {
            all.sort_by_key(|row| row.prompt_id);
            let readings = all
                .iter()
                .filter(|row| row.status == "completed")
                .map(|row| Reading {
                    row,
                    names: count_names(row.response_text.as_deref().unwrap_or_default(), &spellings),
                    cites: cites(row),
                })
                .collect();
            History { universe, day, engine, readings, all }
        })
        .collect()
}

impl History<'_> {
    pub(super) fn engine(&self) -> &str {
        self.engine
    }

    /// The own brand and every competitor, by rank, then by mentions.
    pub(super) fn brands(&self) -> Vec<BrandRow> {
        let prompts = self.readings.len();
        let named = |brand: usize| self.readings.iter().filter(|r| r.names.get(brand).is_some_and(|n| *n > 0)).count();
        let cited = |brand: usize| self.readings.iter().filter(|r| r.cites.get(brand) == Some(&true)).count();
        let mut rows: Vec<BrandRow> = self
            .universe
            .brands()
            .enumerate()
            .map(|(ix, brand)| BrandRow {
                brand_name: brand.name.clone(),
                trust_mentions: named(ix),
                share_of_voice: 0.0,
                visibility_rank: 0,
                ai_coverage_pct: percent(named(ix), prompts),
                geo_coverage_pct: percent(cited(ix), prompts),
                geo_prompt_count: cited(ix),
            })
            .collect();
        let total: usize = rows.iter().map(|row| row.trust_mentions).sum();
        rows.sort_by(|a, b| b.trust_mentions.cmp(&a.trust_mentions).then_with(|| a.brand_name.cmp(&b.brand_name)));
        for (rank, row) in rows.iter_mut().enumerate() {
            row.visibility_rank = rank + 1;
            row.share_of_voice = percent(row.trust_mentions, total);
        }
        rows
    }

    /// The history row, every column.
    pub(super) fn row(&self) -> Map<String, Value> {
        let brands = self.brands();
        let own = brands.iter().find(|row| row.brand_name == self.universe.own.name);
        let own_named = own.map_or(0, |row| row.trust_mentions);
        let place = [u64::from(self.day.epoch_days().cast_unsigned()), xxh3_64(self.engine.as_bytes())];
        let ranking = |row: &BrandRow| {
            json!({ "brand_name": row.brand_name, "trust_mentions": row.trust_mentions,
                    "share_of_voice": row.share_of_voice, "rank": row.visibility_rank })
        };
        let competition = |row: &BrandRow| {
            json!({ "brand_name": row.brand_name, "coverage_pct": row.ai_coverage_pct,
                    "trust_mentions": row.trust_mentions })
        };
        let geo = |row: &BrandRow| {
            json!({ "brand_name": row.brand_name, "coverage_pct": row.geo_coverage_pct,
                    "prompt_count": row.geo_prompt_count })
        };
        let columns = [
            ("id", json!(uuid(xxh3_64(self.universe.id.as_bytes()), &place))),
            ("user_id", json!(self.universe.user_id)),
            ("universe_id", json!(self.universe.id)),
            ("day", json!(self.day)),
            ("engine", json!(self.engine)),
            ("ai_coverage_over_time", json!(own.map(|row| row.ai_coverage_pct))),
            ("ai_trust_mentions", json!(own_named)),
            // A rank among brands that are named: there is none for a brand that is not.
            ("ai_avg_trust_position", json!(own.filter(|_| own_named > 0).map(|row| row.visibility_rank))),
            ("ai_visibility_ranking", brands.iter().map(ranking).collect()),
            ("ai_top_prompts_by_trust_mentions", self.top_prompts()),
            ("ai_visibility_index", self.blind_spots()),
            ("ai_citations_ranked_urls", self.ranked_urls()),
            ("ai_competitive_analysis", brands.iter().map(competition).collect()),
            ("ai_domain_citation_count", json!(self.domains())),
            ("geo_competitor_analysis", brands.iter().map(geo).collect()),
            ("prompts_rows", json!(self.all.iter().map(|row| &row.id).collect::<Vec<_>>())),
        ];
        columns.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Prompts by how often their answers name the own brand.
    fn top_prompts(&self) -> Value {
        let own = |reading: &Reading<'_>| reading.names.first().copied().unwrap_or(0);
        let mut top: Vec<_> = self.readings.iter().filter(|reading| own(reading) > 0).collect();
        top.sort_by_key(|reading| (std::cmp::Reverse(own(reading)), reading.row.prompt_id));
        top.iter()
            .take(10)
            .enumerate()
            .map(|(i, reading)| json!({ "prompt": reading.row.prompt_text, "mentions": own(reading), "rank": i + 1 }))
            .collect()
    }

    /// Per prompt: the links that appeared and the competitors shown.
    fn blind_spots(&self) -> Value {
        let competitors = |reading: &Reading<'_>| {
            let named = reading.names.iter().skip(1).zip(&self.universe.competitors).filter(|(count, _)| **count > 0);
            named.map(|(_, brand)| brand.name.clone()).collect::<Vec<_>>()
        };
        self.readings
            .iter()
            .map(|reading| {
                json!({ "prompt": reading.row.prompt_text, "links": reading.row.appeared_links_unique,
                        "competitors": competitors(reading) })
            })
            .collect()
    }

    fn ranked_urls(&self) -> Value {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for url in self.readings.iter().flat_map(|reading| &reading.row.appeared_links) {
            *counts.entry(url).or_default() += 1;
        }
        let mut ranked: Vec<_> = counts.into_iter().collect();
        ranked.sort_by_key(|(url, count)| (std::cmp::Reverse(*count), *url));
        let row = |(i, (url, count)): (usize, &(&str, usize))| json!({ "url": url, "citations": count, "rank": i + 1 });
        ranked.iter().take(50).enumerate().map(row).collect()
    }

    /// Citations of the own domain.
    fn domains(&self) -> usize {
        let own = &self.universe.own;
        let links = self.readings.iter().flat_map(|reading| &reading.row.appeared_links);
        links.filter(|url| host_of(url).is_some() && own.owns(url)).count()
    }
}

/// A share in percent, to two places; 0 of nothing is 0.
fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { (real(part) * 10_000.0 / real(whole)).round() / 100.0 }
}
