//! Prompts: found by id, number or text, and named behind the labels of cells.

use super::{Reader, Result, error::Context as _, fts::fts_query};
use crate::model::{ProjectKey, PromptId, PromptRef};

/// A prompt as lists show it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PromptRow {
    /// Its public id.
    pub id: PromptId,
    /// Its text; a stranger's.
    pub text: String,
    /// Its topic; a stranger's text.
    pub topic: Option<String>,
    /// What the tracker's screens call it.
    pub label: Option<String>,
    /// Does it name a tracked brand?
    pub branded: bool,
}

/// Which prompts are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct PromptFilter<'a> {
    /// Only this topic, in its exact spelling.
    pub topic: Option<&'a str>,
    /// Only prompts that hold all these words; words in quotation marks must stand together.
    pub text: Option<&'a str>,
    /// Leave out prompts that name a tracked brand.
    pub without_branded: bool,
}

pub(super) const OF_PROJECT: &str = "
SELECT id, public_id, text, topic, label, branded FROM prompt INDEXED BY prompt_by_project
WHERE project_id = ?1 AND branded <= ?2 AND (?3 IS NULL OR topic = ?3)";

pub(super) const HOLDS_WORDS: &str = "
  AND id IN (SELECT rowid FROM prompt_fts WHERE prompt_fts MATCH ?4)";

impl Reader {
    /// The prompts of a project, each with its label in cells, in no particular order.
    ///
    /// # Errors
    /// As [`Reader::runs`].
    pub fn prompts_of(&self, project: &ProjectKey, filter: PromptFilter<'_>) -> Result<Vec<(PromptRef, PromptRow)>> {
        let Some(project) = self.project_id(project)? else { return Ok(Vec::new()) };
        let read = |row: &rusqlite::Row<'_>| Ok((PromptRef(row.get(0)?), prompt_row(row, 1)?));
        let (branded, topic) = (!filter.without_branded, filter.topic);
        let rows: rusqlite::Result<Vec<_>> = match filter.text {
            None => self.connection.prepare_cached(OF_PROJECT)?.query_map((project, branded, topic), read)?.collect(),
            Some(text) => self
                .connection
                .prepare_cached(&format!("{OF_PROJECT}{HOLDS_WORDS}"))?
                .query_map((project, branded, topic, fts_query(text)), read)?
                .collect(),
        };
        rows.context("prompts of a project")
    }

    /// The prompts behind labels of cells, in the same order.
    ///
    /// # Errors
    /// As [`Reader::runs`].
    pub fn prompts(&self, prompts: &[PromptRef]) -> Result<Vec<PromptRow>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT public_id, text, topic, label, branded FROM prompt WHERE id = ?1")?;
        prompts
            .iter()
            .map(|prompt| statement.query_row([prompt.0], |row| prompt_row(row, 0)).context("prompt"))
            .collect()
    }

    /// Prompts of a project whose id, number or exact text is this; several where a number moved.
    ///
    /// # Errors
    /// As [`Reader::runs`].
    pub fn find_prompts(&self, project: &ProjectKey, name: &str) -> Result<Vec<PromptRow>> {
        let Some(project) = self.project_id(project)? else { return Ok(Vec::new()) };
        let public = name.parse::<PromptId>().ok().map(PromptId::to_i64);
        self.connection
            .prepare_cached(
                "SELECT public_id, text, topic, label, branded FROM prompt
                 WHERE project_id = ?1 AND (public_id = ?2 OR text = ?3 COLLATE NOCASE OR label = ?3) ORDER BY id LIMIT 5",
            )?
            .query_map((project, public, name), |row| prompt_row(row, 0))?
            .collect::<Result<_, _>>()
            .context("find prompts")
    }

    /// Topics of a project, by name.
    ///
    /// # Errors
    /// As [`Reader::runs`].
    pub fn topics(&self, project: &ProjectKey) -> Result<Vec<String>> {
        let Some(project) = self.project_id(project)? else { return Ok(Vec::new()) };
        self.connection
            .prepare_cached("SELECT DISTINCT topic FROM prompt WHERE project_id = ?1 AND topic IS NOT NULL ORDER BY topic LIMIT 500")?
            .query_map([project], |row| row.get(0))?
            .collect::<Result<_, _>>()
            .context("topics")
    }
}

/// The prompt whose columns begin at `at`.
pub(super) fn prompt_row(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<PromptRow> {
    Ok(PromptRow {
        id: PromptId::from_i64(row.get(at)?),
        text: row.get(at + 1)?,
        topic: row.get(at + 2)?,
        label: row.get(at + 3)?,
        branded: row.get(at + 4)?,
    })
}
