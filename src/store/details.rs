//! One run whole: answer, citations, facts of every brand, what it looked like before, and its neighbours.

use super::{Reader, Result, RunRow, error::Context as _, names::Checked, sync_log::instant, texts::Kind};
use crate::model::{Basis, BrandKey, ProjectKey, RunId, SourceName};
use jiff::Timestamp;
use rusqlite::OptionalExtension as _;

/// One run whole.
#[derive(Clone, PartialEq, Debug)]
pub struct RunDetails {
    /// The run as a list shows it.
    pub row: RunRow,
    /// Its project.
    pub project: ProjectKey,
    /// The answer; a stranger's text.
    pub answer: Option<String>,
    /// Its citations in order.
    pub citations: Vec<CitationRow>,
    /// Where they come from.
    pub citation_basis: Basis,
    /// Facts of every brand that appears.
    pub facts: Vec<FactRow>,
    /// Former states, newest first.
    pub history: Vec<HistoryRow>,
    /// The run of the same prompt and engine just before.
    pub previous: Option<RunId>,
    /// And just after.
    pub next: Option<RunId>,
    /// When work on it began.
    pub started_at: Option<Timestamp>,
    /// When it reached a final status.
    pub finished_at: Option<Timestamp>,
    /// `consumer` or `api`.
    pub surface: String,
    /// Did the engine search the web?
    pub web_search: Option<bool>,
    /// What it cost, in US dollars.
    pub cost_usd: Option<f64>,
    /// When a complete reading no longer held it.
    pub gone_at: Option<Timestamp>,
}

/// A citation of a run.
#[derive(Clone, PartialEq, Debug)]
pub struct CitationRow {
    /// 1 for the first.
    pub position: u32,
    /// The URL as given; a stranger's text.
    pub url: String,
    /// Its registrable domain.
    pub domain: Option<String>,
    /// The brand it is attributed to: name and kind.
    pub brand: Option<(String, String)>,
    /// The upstream's quality score.
    pub quality: Option<f64>,
}

/// What is known of one brand in one run.
#[derive(Clone, PartialEq, Debug)]
pub struct FactRow {
    /// The brand's key.
    pub brand: BrandKey,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Where the mentions come from.
    pub mention_basis: Option<Basis>,
    /// Where the citations come from.
    pub citation_basis: Option<Basis>,
    /// Mentions; none where not looked for.
    pub mentions: Option<u32>,
    /// Citations; none where not looked for.
    pub citations: Option<u32>,
    /// Best citation position.
    pub best_position: Option<u32>,
    /// Place among all brands named.
    pub mention_rank: Option<u32>,
    /// Sentiment, on the upstream's scale.
    pub sentiment: Option<f64>,
    /// Why, in the upstream's words.
    pub sentiment_justification: Option<String>,
    /// The upstream's composite score.
    pub visibility_score: Option<f64>,
    /// Mentions read off the text, whatever the upstream says; none where it was not read.
    pub derived_mentions: Option<u32>,
}

/// A former state of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryRow {
    /// When a sync replaced it.
    pub replaced_at: Timestamp,
    /// Its status then.
    pub status: String,
    /// Was the answer another one?
    pub answer_differs: bool,
    /// Facts then, as JSON rows of brand key, mentions, citations, best position, sentiment.
    pub facts: String,
}

pub(super) const FINISHED_BEFORE: &str = "
SELECT n.public_id FROM run r CROSS JOIN run n INDEXED BY run_by_prompt ON n.prompt_id = r.prompt_id
WHERE r.id = ?1 AND n.engine_id = r.engine_id AND n.status_id = 3 AND n.gone_at IS NULL
  AND (n.created_at, n.id) < (r.created_at, r.id)
ORDER BY n.created_at DESC, n.id DESC LIMIT 1";

impl Reader {
    /// One run whole, seen from a brand.
    ///
    /// # Errors
    /// [`super::Error::Stopped`] over the limit; anything else is a damaged file.
    pub fn run_details(&self, id: RunId, brand: Option<&BrandKey>) -> Result<Option<RunDetails>> {
        let Some((handle, row)) = self.run_row(id, brand)? else { return Ok(None) };
        let mut details = self.run_frame(handle, row)?;
        details.answer = self.texts.borrow_mut().load(&self.connection, Kind::Answer, handle)?;
        details.citations = self.citations(handle)?;
        details.facts = self.facts(handle)?;
        details.history = self.history(handle)?;
        details.previous = self.neighbour(handle, "<", "DESC")?;
        details.next = self.neighbour(handle, ">", "ASC")?;
        Ok(Some(details))
    }

    /// The upstream's own record of a run, as JSON text less the answer.
    ///
    /// # Errors
    /// As [`Reader::run_details`].
    pub fn raw_record(&self, id: RunId) -> Result<Option<String>> {
        let Some((handle, _)) = self.run_row(id, None)? else { return Ok(None) };
        self.texts.borrow_mut().load(&self.connection, Kind::Record, handle)
    }

    /// The answer of a run by itself; a stranger's text.
    ///
    /// # Errors
    /// As [`Reader::run_details`].
    pub fn answer(&self, id: RunId) -> Result<Option<String>> {
        let Some(handle) = self.handle(id)? else { return Ok(None) };
        self.texts.borrow_mut().load(&self.connection, Kind::Answer, handle)
    }

    /// The finished run of the same prompt on the same engine just before a run; one that is gone does not count.
    ///
    /// # Errors
    /// As [`Reader::run_details`].
    pub fn finished_before(&self, id: RunId) -> Result<Option<RunId>> {
        let Some(handle) = self.handle(id)? else { return Ok(None) };
        self.connection
            .prepare_cached(FINISHED_BEFORE)?
            .query_row([handle], |row| row.get(0).map(RunId::from_i64))
            .optional()
            .context("finished before")
    }

    /// The row of a run; none where it is not cached, or its project is not shown.
    pub(super) fn handle(&self, id: RunId) -> Result<Option<i64>> {
        let found: Option<(i64, i64)> = self
            .connection
            .prepare_cached("SELECT id, project_id FROM run WHERE public_id = ?1")?
            .query_row([id.to_i64()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .context("run")?;
        Ok(found.filter(|(_, project)| self.shows(*project)).map(|(run, _)| run))
    }

    /// The hash of the upstream's record of a run as it is stored; none for a run that is not.
    ///
    /// # Errors
    /// As [`Reader::run_details`].
    pub fn raw_hash(&self, id: RunId) -> Result<Option<u64>> {
        let Some(handle) = self.handle(id)? else { return Ok(None) };
        self.connection
            .prepare_cached("SELECT raw_hash FROM run WHERE id = ?1")?
            .query_row([handle], |row| row.get(0).map(i64::cast_unsigned))
            .optional()
            .context("raw hash")
    }

    /// The project that a run belongs to.
    ///
    /// # Errors
    /// As [`Reader::run_details`].
    pub fn project_of(&self, id: RunId) -> Result<Option<ProjectKey>> {
        let Some(handle) = self.handle(id)? else { return Ok(None) };
        let project = |row: &rusqlite::Row<'_>| {
            let source: String = row.get(0)?;
            Ok(ProjectKey { source: SourceName::from(source.as_str()), key: row.get(1)? })
        };
        self.connection
            .prepare_cached(
                "SELECT s.name, p.key FROM run r JOIN project p ON p.id = r.project_id JOIN source s ON s.id = p.source_id
                 WHERE r.id = ?1",
            )?
            .query_row([handle], project)
            .map(Some)
            .context("project of a run")
    }

    fn run_frame(&self, handle: i64, row: RunRow) -> Result<RunDetails> {
        self.connection
            .prepare_cached(
                "SELECT s.name, p.key, r.started_at, r.finished_at, r.surface, r.web_search, r.cost_usd, r.gone_at,
                        r.citations_derived
                 FROM run r JOIN project p ON p.id = r.project_id JOIN source s ON s.id = p.source_id WHERE r.id = ?1",
            )?
            .query_row([handle], |found| {
                let source: String = found.get(0)?;
                let at = |i: usize| found.get::<_, Option<i64>>(i).map(|at| at.map(instant));
                Ok(RunDetails {
                    row,
                    project: ProjectKey { source: SourceName::from(source.as_str()), key: found.get(1)? },
                    answer: None,
                    citations: Vec::new(),
                    citation_basis: if found.get(8)? { Basis::Derived } else { Basis::Upstream },
                    facts: Vec::new(),
                    history: Vec::new(),
                    previous: None,
                    next: None,
                    started_at: at(2)?,
                    finished_at: at(3)?,
                    surface: found.get(4)?,
                    web_search: found.get(5)?,
                    cost_usd: found.get(6)?,
                    gone_at: at(7)?,
                })
            })
            .context("run")
    }

    fn citations(&self, run: i64) -> Result<Vec<CitationRow>> {
        self.connection
            .prepare_cached(
                "SELECT c.position, u.url, d.name, b.name, b.kind, c.quality FROM citation c JOIN url u ON u.id = c.url_id
                 LEFT JOIN domain d ON d.id = u.domain_id LEFT JOIN brand b ON b.id = c.brand_id
                 WHERE c.run_id = ?1 ORDER BY c.position",
            )?
            .query_map([run], |row| {
                let brand: Option<String> = row.get(3)?;
                let kind: Option<String> = row.get(4)?;
                Ok(CitationRow {
                    position: row.get(0)?,
                    url: row.get(1)?,
                    domain: row.get(2)?,
                    brand: brand.zip(kind),
                    quality: row.get(5)?,
                })
            })?
            .collect::<Result<_, _>>()
            .context("citations")
    }

    /// Facts of brands that appear, and of those that were looked for and do not.
    fn facts(&self, run: i64) -> Result<Vec<FactRow>> {
        self.connection
            .prepare_cached(
                "SELECT b.key, b.name, b.kind,
                        CASE WHEN c.mentions THEN coalesce(f.mentions, 0) END,
                        CASE WHEN c.citations THEN coalesce(f.citations, 0) END,
                        f.best_citation_position, f.mention_rank, f.sentiment, f.sentiment_justification, f.visibility_score,
                        c.mentions, c.citations, iif(r.detected IS NULL, NULL, coalesce(f.derived_mentions, 0))
                 FROM run r JOIN scope_brand c ON c.scope_id = r.scope_id JOIN brand b ON b.id = c.brand_id
                 LEFT JOIN run_brand f ON f.run_id = r.id AND f.brand_id = b.id
                 WHERE r.id = ?1
                 ORDER BY CASE b.kind WHEN 'own' THEN 0 WHEN 'competitor' THEN 1 ELSE 2 END, b.name, b.key",
            )?
            .query_map([run], |row| {
                Ok(FactRow {
                    brand: BrandKey(row.get(0)?),
                    name: row.get(1)?,
                    kind: row.get(2)?,
                    mentions: row.get(3)?,
                    citations: row.get(4)?,
                    best_position: row.get(5)?,
                    mention_rank: row.get(6)?,
                    sentiment: row.get(7)?,
                    sentiment_justification: row.get(8)?,
                    visibility_score: row.get(9)?,
                    mention_basis: row.get::<_, Checked>(10)?.basis(),
                    citation_basis: row.get::<_, Checked>(11)?.basis(),
                    derived_mentions: row.get(12)?,
                })
            })?
            .collect::<Result<_, _>>()
            .context("facts")
    }

    fn history(&self, run: i64) -> Result<Vec<HistoryRow>> {
        self.connection
            .prepare_cached(
                "SELECT h.replaced_at, h.status, h.answer_hash IS NOT r.answer_hash, h.facts
                 FROM run_history h JOIN run r ON r.id = h.run_id WHERE h.run_id = ?1 ORDER BY h.id DESC LIMIT 20",
            )?
            .query_map([run], |row| {
                Ok(HistoryRow {
                    replaced_at: instant(row.get(0)?),
                    status: row.get(1)?,
                    answer_differs: row.get(2)?,
                    facts: row.get(3)?,
                })
            })?
            .collect::<Result<_, _>>()
            .context("history")
    }

    fn neighbour(&self, run: i64, sign: &'static str, order: &'static str) -> Result<Option<RunId>> {
        use rusqlite::OptionalExtension as _;
        self.connection
            .prepare_cached(&format!(
                "SELECT n.public_id FROM run r CROSS JOIN run n INDEXED BY run_by_prompt ON n.prompt_id = r.prompt_id
                 WHERE r.id = ?1 AND n.engine_id = r.engine_id AND n.gone_at IS NULL
                   AND (n.created_at, n.id) {sign} (r.created_at, r.id)
                 ORDER BY n.created_at {order}, n.id {order} LIMIT 1"
            ))?
            .query_row([run], |row| row.get(0).map(RunId::from_i64))
            .optional()
            .context("neighbour")
    }
}
