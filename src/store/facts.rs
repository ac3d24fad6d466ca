//! What is known of brands in one run: the upstream's facts and those read off the text, in one row per brand.

use super::{
    Result,
    error::Context as _,
    names::{Checked, Member},
};
use crate::model::{BrandFact, BrandKey, CitationRecord, RunRecord, Status};
use rusqlite::Connection;
use std::collections::BTreeMap;

/// Reads brands and links off texts.
pub trait Detect: Send + Sync {
    /// Another number whenever it would read something else off some text.
    fn stamp(&self) -> u64;

    /// The brands that it looks for.
    fn brands(&self) -> &[BrandKey];

    /// Does a prompt name one of them?
    fn is_branded(&self, prompt: &str) -> bool;

    /// The citations of an answer: the links in its text, then the URLs that stand beside it.
    fn citations(&self, answer: &str, beside: &[String]) -> Vec<CitationRecord>;

    /// Mentions, citations, best citation position and mention rank of every brand that is named or cited.
    fn facts(&self, answer: &str, citations: &[&str]) -> Vec<BrandFact>;

    /// The brand that a URL belongs to.
    fn owner(&self, url: &str) -> Option<&BrandKey>;
}

/// What was read off a run's answer.
pub(super) struct Detected {
    /// Of every brand that appears.
    pub(super) facts: Vec<BrandFact>,
    /// Where the upstream gives none.
    pub(super) citations: Option<Vec<CitationRecord>>,
}

impl Detected {
    /// None for a run without an answer.
    pub(super) fn of(record: &RunRecord, detect: &dyn Detect) -> Option<Self> {
        let answer = record.answer.as_deref().filter(|_| record.status == Status::Finished)?;
        let read = record.citations.is_none().then(|| detect.citations(answer, &record.source_urls));
        let urls: Vec<&str> =
            read.as_ref().or(record.citations.as_ref()).into_iter().flatten().map(|found| found.url.as_str()).collect();
        Some(Self { facts: detect.facts(answer, &urls), citations: read })
    }
}

/// One brand in one run, as it is stored.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Fact {
    pub(super) by: (Checked, Checked),
    pub(super) mentions: Option<u32>,
    pub(super) citations: Option<u32>,
    pub(super) best_citation_position: Option<u32>,
    pub(super) mention_rank: Option<u32>,
    pub(super) sentiment: Option<f64>,
    pub(super) sentiment_justification: Option<String>,
    pub(super) mention_quality: Option<f64>,
    pub(super) citation_quality: Option<f64>,
    pub(super) visibility_score: Option<f64>,
    pub(super) derived_mentions: Option<u32>,
    pub(super) derived_citations: Option<u32>,
}

impl Fact {
    fn of_upstream(fact: &BrandFact) -> Self {
        let by = |count: Option<u32>| if count.is_some() { Checked::Upstream } else { Checked::No };
        // All fields by name: a new one must be thought of here.
        let BrandFact {
            brand: _,
            mentions,
            citations,
            best_citation_position,
            mention_rank,
            sentiment,
            sentiment_justification,
            mention_quality,
            citation_quality,
            visibility_score,
        } = fact.clone();
        Self {
            by: (by(mentions), by(citations)),
            mentions,
            citations,
            best_citation_position,
            mention_rank,
            sentiment,
            sentiment_justification,
            mention_quality,
            citation_quality,
            visibility_score,
            derived_mentions: None,
            derived_citations: None,
        }
    }

    /// Forgets what was read off a text before.
    fn forget_derived(&mut self) {
        (self.derived_mentions, self.derived_citations, self.mention_rank) = (None, None, None);
        if self.by.0 != Checked::Upstream {
            (self.by.0, self.mentions) = (Checked::No, None);
        }
        if self.by.1 != Checked::Upstream {
            (self.by.1, self.citations, self.best_citation_position) = (Checked::No, None, None);
        }
    }

    /// What the upstream checked stays; the rest is what was read. None: looked for and not there.
    fn add_derived(&mut self, read: Option<&BrandFact>) {
        let mentions = read.and_then(|read| read.mentions).unwrap_or(0);
        let citations = read.and_then(|read| read.citations).unwrap_or(0);
        (self.derived_mentions, self.derived_citations) = (Some(mentions), Some(citations));
        if self.by.0 == Checked::No {
            (self.by.0, self.mentions) = (Checked::Derived, Some(mentions));
        }
        if self.by.1 == Checked::No {
            (self.by.1, self.citations) = (Checked::Derived, Some(citations));
            self.best_citation_position = read.and_then(|read| read.best_citation_position);
        }
        self.mention_rank = self.mention_rank.or(read.and_then(|read| read.mention_rank));
    }

    /// Does it say no more than what was looked for, and that it was not there? That is in the scope.
    fn says_nothing(&self) -> bool {
        let zero = |count: Option<u32>| count.unwrap_or(0) == 0;
        zero(self.mentions)
            && zero(self.citations)
            && zero(self.derived_mentions)
            && zero(self.derived_citations)
            && self.best_citation_position.is_none()
            && self.mention_rank.is_none()
            && self.sentiment.is_none()
            && self.sentiment_justification.is_none()
            && self.mention_quality.is_none()
            && self.citation_quality.is_none()
            && self.visibility_score.is_none()
    }
}

/// All brands of one run.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Facts(BTreeMap<i64, Fact>);

impl Facts {
    pub(super) fn of_upstream(facts: Vec<(i64, &BrandFact)>) -> Self {
        Self(facts.into_iter().map(|(brand, fact)| (brand, Fact::of_upstream(fact))).collect())
    }

    /// The facts of a stored run: a brand of its scope without a row was looked for and is not there.
    pub(super) fn load(tx: &Connection, run: i64, scope: &[Member]) -> Result<Self> {
        let looked_for =
            |(brand, mentions, citations): &Member| (*brand, Fact { by: (*mentions, *citations), ..Fact::default() });
        let mut facts = Self(scope.iter().map(looked_for).collect());
        let mut statement = tx.prepare_cached(
            "SELECT brand_id, mentions, citations, best_citation_position, mention_rank, sentiment,
                    sentiment_justification, mention_quality, citation_quality, visibility_score, derived_mentions,
                    derived_citations
             FROM run_brand WHERE run_id = ?1",
        )?;
        let mut rows = statement.query([run]).context("facts of a run")?;
        while let Some(row) = rows.next().context("facts of a run")? {
            let fact = facts.0.entry(row.get(0)?).or_default();
            *fact = Fact {
                by: fact.by,
                mentions: row.get(1)?,
                citations: row.get(2)?,
                best_citation_position: row.get(3)?,
                mention_rank: row.get(4)?,
                sentiment: row.get(5)?,
                sentiment_justification: row.get(6)?,
                mention_quality: row.get(7)?,
                citation_quality: row.get(8)?,
                visibility_score: row.get(9)?,
                derived_mentions: row.get(10)?,
                derived_citations: row.get(11)?,
            };
        }
        Ok(facts)
    }

    /// Adds what was read off the text for these brands, in place of what was read before.
    pub(super) fn add_derived(&mut self, brands: &[i64], found: &[(i64, &BrandFact)]) {
        self.0.values_mut().for_each(Fact::forget_derived);
        for brand in brands {
            let read = found.iter().find(|(id, _)| id == brand).map(|(_, fact)| *fact);
            self.0.entry(*brand).or_default().add_derived(read);
        }
        self.0.retain(|_, fact| fact.by != (Checked::No, Checked::No) || !fact.says_nothing());
    }

    /// Who was looked for, by whom.
    pub(super) fn members(&self) -> Vec<Member> {
        self.0.iter().map(|(brand, fact)| (*brand, fact.by.0, fact.by.1)).collect()
    }

    /// Those that have a row.
    fn rows(&self) -> impl Iterator<Item = (&i64, &Fact)> {
        self.0.iter().filter(|(_, fact)| !fact.says_nothing())
    }

    /// Writes the rows of a run that has none.
    pub(super) fn save(&self, tx: &Connection, run: i64) -> Result<()> {
        self.rows().try_for_each(|(brand, fact)| save(tx, run, *brand, fact))
    }

    /// Writes what differs from the rows that are stored. Returns whether anything does.
    pub(super) fn save_over(&self, tx: &Connection, run: i64, stored: &Self) -> Result<bool> {
        let mut moved = false;
        for (brand, _) in stored.rows().filter(|(brand, _)| self.0.get(brand).is_none_or(Fact::says_nothing)) {
            tx.prepare_cached("DELETE FROM run_brand WHERE run_id = ?1 AND brand_id = ?2")?
                .execute((run, brand))
                .context("old fact")?;
            moved = true;
        }
        for (brand, fact) in self.rows() {
            let former = stored.0.get(brand);
            // A zero and nothing are the same row.
            if former.is_none_or(|former| former != fact || former.says_nothing()) {
                save(tx, run, *brand, fact)?;
                moved = true;
            }
        }
        Ok(moved)
    }
}

fn save(tx: &Connection, run: i64, brand: i64, fact: &Fact) -> Result<()> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO run_brand (run_id, brand_id, mentions, citations, best_citation_position, mention_rank,
             sentiment, sentiment_justification, mention_quality, citation_quality, visibility_score, derived_mentions,
             derived_citations)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(rusqlite::params![
        run,
        brand,
        fact.mentions,
        fact.citations,
        fact.best_citation_position,
        fact.mention_rank,
        fact.sentiment,
        fact.sentiment_justification,
        fact.mention_quality,
        fact.citation_quality,
        fact.visibility_score,
        fact.derived_mentions,
        fact.derived_citations,
    ])
    .context("save fact")?;
    Ok(())
}
