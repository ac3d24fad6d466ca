//! Saving runs: new ones, changed ones with what they looked like before, and gone ones, marked and never erased.

use super::{
    Detect, Error, Result, Write,
    error::Context as _,
    facts::{Detected, Facts},
    names::{Prompt, Table},
    texts::Kind,
};
use crate::model::{BrandFact, BrandKey, CitationRecord, ProjectKey, Published, RunId, RunRecord};
use jiff::Timestamp;
use rusqlite::OptionalExtension as _;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use xxhash_rust::xxh3::xxh3_64;

/// What the cache knows of a run before a page is applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoredRun {
    /// Hash of the upstream's record as last read.
    pub raw_hash: u64,
    /// Marked as gone upstream?
    pub gone: bool,
    handle: i64,
}

impl StoredRun {
    pub(super) fn handle(&self) -> i64 {
        self.handle
    }
}

/// How many runs of a page were what.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct PageCounts {
    /// Not seen before.
    pub added: u64,
    /// Seen before, different now.
    pub changed: u64,
    /// As they were.
    pub unchanged: u64,
}

impl Write<'_> {
    /// What is stored of these runs; those not stored are missing in the answer.
    ///
    /// # Errors
    /// Where a statement fails.
    pub fn stored_runs(&self, ids: impl IntoIterator<Item = RunId>) -> Result<HashMap<RunId, StoredRun>> {
        let mut statement =
            self.tx.prepare_cached("SELECT id, raw_hash, gone_at IS NOT NULL FROM run WHERE public_id = ?1")?;
        let mut found = HashMap::new();
        for id in ids {
            let stored = statement
                .query_row([id.to_i64()], |row| {
                    Ok(StoredRun {
                        handle: row.get(0)?,
                        raw_hash: row.get::<_, i64>(1)?.cast_unsigned(),
                        gone: row.get(2)?,
                    })
                })
                .optional()
                .context("stored run")?;
            found.extend(stored.map(|stored| (id, stored)));
        }
        Ok(found)
    }

    /// Stores new runs and replaces changed ones, whose former state goes to their history. `detect` reads brands and
    /// citations off their texts.
    ///
    /// # Errors
    /// Where a statement fails; then nothing of the transaction is kept.
    pub fn save_runs(
        &mut self,
        project: &ProjectKey,
        added: &[(RunId, &RunRecord)],
        changed: &[(StoredRun, &RunRecord)],
        detect: &dyn Detect,
        now: Timestamp,
    ) -> Result<()> {
        let project_id = self.project_id(project)?;
        let tracked = self.brand_ids(project_id, detect.brands())?;
        let first: i64 = self.tx.query_row("SELECT coalesce(max(id), 0) + 1 FROM run", (), |row| row.get(0))?;
        // Full-text rows come after everything else, in one go: FTS5 flushes its memory whenever another statement
        // with RETURNING or a savepoint comes between.
        let mut fts: Vec<(i64, bool, Option<&str>)> = Vec::with_capacity(added.len() + changed.len());
        let mut prompts: Vec<(i64, &str)> = Vec::new();
        let mut days = BTreeSet::new();
        for (id, (public, record)) in (first..).zip(added) {
            self.save_run(project, project_id, (id, Some(*public)), record, (detect, &tracked, now), &mut prompts)?;
            fts.push((id, false, record.answer.as_deref()));
            days.insert(record.day.epoch_days());
        }
        for (stored, record) in changed {
            let had_answer = self.keep_history(stored.handle, record, now, &mut days)?;
            for sql in ["DELETE FROM run_brand WHERE run_id = ?1", "DELETE FROM citation WHERE run_id = ?1"] {
                self.tx.prepare_cached(sql)?.execute([stored.handle]).context("replace run")?;
            }
            self.save_run(project, project_id, (stored.handle, None), record, (detect, &tracked, now), &mut prompts)?;
            if record.answer.is_none() {
                self.tx
                    .prepare_cached("DELETE FROM answer WHERE run_id = ?1")?
                    .execute([stored.handle])
                    .context("answer")?;
            }
            fts.push((stored.handle, had_answer, record.answer.as_deref()));
            days.insert(record.day.epoch_days());
        }
        for day in days {
            self.touch_day(project_id, day)?;
        }
        self.index(&fts, &prompts)?;
        self.texts.train(self.tx, Kind::Answer)?;
        self.texts.train(self.tx, Kind::Record)
    }

    fn index(&self, answers: &[(i64, bool, Option<&str>)], prompts: &[(i64, &str)]) -> Result<()> {
        let mut delete = self.tx.prepare_cached("DELETE FROM answer_fts WHERE rowid = ?1")?;
        for (id, _, _) in answers.iter().filter(|(_, had_answer, _)| *had_answer) {
            delete.execute([id]).context("answer_fts")?;
        }
        let mut insert = self.tx.prepare_cached("INSERT INTO answer_fts (rowid, text) VALUES (?1, ?2)")?;
        for (id, _, answer) in answers {
            if let Some(answer) = answer {
                insert.execute((id, answer)).context("answer_fts")?;
            }
        }
        let mut insert = self.tx.prepare_cached("INSERT OR REPLACE INTO prompt_fts (rowid, text) VALUES (?1, ?2)")?;
        for (id, text) in prompts {
            insert.execute((id, text)).context("prompt_fts")?;
        }
        Ok(())
    }

    /// Inserts a run under a new id (`Some` public id) or updates the row of a known one.
    fn save_run<'r>(
        &mut self,
        project: &ProjectKey,
        project_id: i64,
        (id, public): (i64, Option<RunId>),
        record: &'r RunRecord,
        (detect, tracked, now): (&dyn Detect, &[i64], Timestamp),
        prompts: &mut Vec<(i64, &'r str)>,
    ) -> Result<()> {
        let tx = self.tx;
        let words = (&record.prompt, record.created_at);
        let prompt = self.names.prompt(tx, (project_id, project), words, |text| detect.is_branded(text))?;
        if let Prompt::Reworded(id) = prompt {
            prompts.push((id, &record.prompt.text));
        }
        let prompt = prompt.id();
        let engine = self.names.id(tx, Table::Engine, &record.engine)?;
        let model = record.model.as_deref().map(|model| self.names.id(tx, Table::Model, model)).transpose()?;
        let status = self.names.id(tx, Table::Status, record.status.as_str())?;
        let read = Detected::of(record, detect);
        let citations = record.citations.as_ref().or(read.as_ref().and_then(|read| read.citations.as_ref()));
        let mut facts = Facts::of_upstream(self.facts_by_brand(project_id, &record.facts)?);
        if let Some(read) = &read {
            let found = self.facts_by_brand(project_id, &read.facts)?;
            facts.add_derived(tracked, &found);
        }
        let scope = self.names.scope(tx, project_id, facts.members())?;
        let millis = |at: Option<Timestamp>| at.map(Timestamp::as_millisecond);
        let sql = if public.is_some() {
            "INSERT INTO run (id, prompt_id, engine_id, model_id, status_id, surface, day, created_at, started_at,
                 finished_at, scope_id, total_citations, web_search, cost_usd, failure_reason, answer_hash, raw_hash,
                 changed_at, project_id, public_id, key, detected, citations_derived)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
                 ?22, ?23)"
        } else {
            "UPDATE run SET prompt_id = ?2, engine_id = ?3, model_id = ?4, status_id = ?5, surface = ?6, day = ?7,
                 created_at = ?8, started_at = ?9, finished_at = ?10, scope_id = ?11, total_citations = ?12,
                 web_search = ?13, cost_usd = ?14, failure_reason = ?15, answer_hash = ?16, raw_hash = ?17,
                 changed_at = ?18, gone_at = NULL, project_id = ?19, public_id = coalesce(?20, public_id),
                 key = ?21, detected = ?22, citations_derived = ?23
             WHERE id = ?1"
        };
        tx.prepare_cached(sql)?
            .execute(rusqlite::params![
                id,
                prompt,
                engine,
                model,
                status,
                record.surface.as_str(),
                record.day.epoch_days(),
                record.created_at.as_millisecond(),
                millis(record.started_at),
                millis(record.finished_at),
                scope,
                record.total_citations,
                record.web_search,
                record.cost_usd,
                record.failure_reason,
                answer_hash(record),
                record.raw_hash.cast_signed(),
                now.as_millisecond(),
                project_id,
                public.map(RunId::to_i64),
                record.key,
                read.as_ref().map(|_| detect.stamp().cast_signed()),
                record.citations.is_none() && citations.is_some(),
            ])
            .context("save run")?;
        facts.save(tx, id)?;
        self.save_citations(id, project_id, citations.map_or(&[], Vec::as_slice))?;
        if let Some(answer) = &record.answer {
            self.texts.save(tx, Kind::Answer, id, answer)?;
        }
        self.texts.save(tx, Kind::Record, id, &record.raw)
    }

    pub(super) fn facts_by_brand<'r>(
        &mut self,
        project: i64,
        facts: &'r [BrandFact],
    ) -> Result<Vec<(i64, &'r BrandFact)>> {
        let mut found = Vec::with_capacity(facts.len());
        for fact in facts {
            found.push((self.brand_id(project, &fact.brand)?, fact));
        }
        found.sort_by_key(|(brand, _)| *brand);
        found.dedup_by_key(|(brand, _)| *brand);
        Ok(found)
    }

    /// The brand's id. A brand that only a run knows, since the project has dropped it, is kept as `other`.
    pub(super) fn brand_id(&mut self, project: i64, brand: &BrandKey) -> Result<i64> {
        let known = self.names.brands.entry(project).or_default();
        if let Some(id) = known.get(&brand.0) {
            return Ok(*id);
        }
        let found = self
            .tx
            .prepare_cached("SELECT id FROM brand WHERE project_id = ?1 AND key = ?2")?
            .query_row((project, &brand.0), |row| row.get(0))
            .optional()
            .context("brand")?;
        let id = match found {
            Some(id) => id,
            None => self
                .tx
                .prepare_cached("INSERT INTO brand (project_id, key, name, kind) VALUES (?1, ?2, ?2, 'other')")?
                .insert((project, &brand.0))
                .context("brand of a run")?,
        };
        known.insert(brand.0.clone(), id);
        Ok(id)
    }

    pub(super) fn brand_ids(&mut self, project: i64, brands: &[BrandKey]) -> Result<Vec<i64>> {
        brands.iter().map(|brand| self.brand_id(project, brand)).collect()
    }

    fn save_citations(&mut self, run: i64, project: i64, citations: &[CitationRecord]) -> Result<()> {
        let tx = self.tx;
        let mut insert = tx.prepare_cached(
            "INSERT INTO citation (run_id, position, url_id, brand_id, quality) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for (position, citation) in (1i64..).zip(citations) {
            let url = self.names.url(tx, &citation.url)?;
            let brand = citation.brand.as_ref().map(|brand| self.brand_id(project, brand)).transpose()?;
            insert.execute((run, position, url, brand, citation.quality)).context("save citation")?;
        }
        Ok(())
    }

    /// Writes down what a run looked like, where what people see of it is about to change. Also notes the day it
    /// leaves. Returns whether it had an answer.
    fn keep_history(&self, id: i64, record: &RunRecord, now: Timestamp, days: &mut BTreeSet<i32>) -> Result<bool> {
        let (status, hash, day): (String, Option<i64>, i32) = self
            .tx
            .prepare_cached(
                "SELECT s.name, r.answer_hash, r.day FROM run r JOIN status s ON s.id = r.status_id WHERE r.id = ?1",
            )?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .context("former run")?;
        days.insert(day);
        let former = self.former_facts(id)?;
        let present = visible_facts(&record.facts);
        if status != record.status.as_str() || hash != answer_hash(record) || former != present {
            self.tx
                .prepare_cached(
                    "INSERT INTO run_history (run_id, replaced_at, status, answer_hash, facts) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute((id, now.as_millisecond(), status, hash, former))
                .context("history")?;
        }
        Ok(hash.is_some())
    }

    /// The upstream's facts of a stored run, in the form of [`visible_facts`].
    fn former_facts(&self, id: i64) -> Result<String> {
        let mut statement = self.tx.prepare_cached(
            "SELECT b.key, iif(c.mentions = 1, f.mentions, NULL), iif(c.citations = 1, f.citations, NULL),
                    iif(c.citations = 2, NULL, f.best_citation_position), f.sentiment
             FROM run_brand f JOIN brand b ON b.id = f.brand_id JOIN run r ON r.id = f.run_id
             LEFT JOIN scope_brand c ON c.scope_id = r.scope_id AND c.brand_id = f.brand_id
             WHERE f.run_id = ?1 ORDER BY b.key",
        )?;
        let facts: Vec<BrandFact> = statement
            .query_map([id], |row| {
                Ok(BrandFact {
                    mentions: row.get(1)?,
                    citations: row.get(2)?,
                    best_citation_position: row.get(3)?,
                    sentiment: row.get(4)?,
                    ..BrandFact::unchecked(BrandKey(row.get(0)?))
                })
            })?
            .collect::<Result<_, _>>()
            .context("former facts")?;
        Ok(visible_facts(&facts))
    }

    /// Keeps the figures that an upstream computed itself. A day of which a brand's figure is another one is compared
    /// with them again.
    ///
    /// # Errors
    /// Where a statement fails.
    pub fn save_published(&mut self, project: &ProjectKey, figures: &[Published]) -> Result<()> {
        let project = self.project_id(project)?;
        let mut upsert = self.tx.prepare_cached(
            "INSERT INTO published (project_id, day, brand, engine, metric, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (project_id, day, brand, engine, metric) DO UPDATE SET value = excluded.value
             WHERE value <> excluded.value",
        )?;
        for figure in figures {
            let brand = figure.brand.as_ref().map_or("", |brand| &brand.0);
            let engine = figure.engine.as_deref().unwrap_or_default();
            let day = figure.day.epoch_days();
            let changed = upsert.execute((project, day, brand, engine, &figure.metric, &figure.value));
            if changed.context("published")? > 0 && figure.brand.is_some() {
                self.touch_day(project, day)?;
            }
        }
        Ok(())
    }

    pub(super) fn project_id(&self, project: &ProjectKey) -> Result<i64> {
        self.tx
            .prepare_cached(
                "SELECT p.id FROM project p JOIN source s ON s.id = p.source_id WHERE s.name = ?1 AND p.key = ?2",
            )?
            .query_row((project.source.as_str(), &project.key), |row| row.get(0))
            .optional()
            .context("project")?
            .ok_or(Error::Value("a project that is not stored"))
    }
}

fn answer_hash(record: &RunRecord) -> Option<i64> {
    record.answer.as_ref().map(|answer| xxh3_64(answer.as_bytes()).cast_signed())
}

/// The facts of a run as its history keeps them: what a person could have seen of each brand that appeared.
fn visible_facts(facts: &[BrandFact]) -> String {
    let mut facts: Vec<&BrandFact> = facts
        .iter()
        .filter(|fact| {
            fact.mentions.unwrap_or(0) > 0
                || fact.citations.unwrap_or(0) > 0
                || fact.best_citation_position.is_some()
                || fact.sentiment.is_some()
        })
        .collect();
    facts.sort_by(|a, b| a.brand.cmp(&b.brand));
    let facts: Vec<serde_json::Value> = facts
        .iter()
        .map(|f| json!([f.brand.0, f.mentions, f.citations, f.best_citation_position, f.sentiment]))
        .collect();
    serde_json::Value::from(facts).to_string()
}
