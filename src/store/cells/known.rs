//! What is known of scopes and prompts while cells are added up.

use super::CellQuery;
use crate::{
    model::PromptId,
    store::{Reader, Result, error::Context as _, names::Checked},
};

/// For what the runs of a scope were checked, as one brand sees it.
#[derive(Clone, Copy, Default)]
pub(super) struct Scope {
    pub(super) mentions: Checked,
    pub(super) citations: Checked,
    pub(super) share_mentions: Checked,
    pub(super) share_citations: Checked,
}

/// Scopes and prompts are small integers, so what is known of one lies at its number.
pub(in crate::store) struct Known {
    scopes: Vec<Scope>,
    prompts: Vec<Standing>,
    /// What holds for prompts that are not in the list.
    other_prompts: Standing,
    engine: Option<u32>,
}

/// Does a prompt count?
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Standing {
    #[default]
    Counts,
    /// It names a tracked brand, and is counted apart.
    Branded,
    /// It is not asked about.
    Other,
}

impl Known {
    pub(super) fn scope(&self, scope: u32) -> Scope {
        self.scopes.get(scope as usize).copied().unwrap_or_default()
    }

    pub(super) fn is_on(&self, engine: u32) -> bool {
        self.engine.is_none_or(|wanted| wanted == engine)
    }

    /// Does a run of this prompt on this engine count?
    pub(in crate::store) fn counts(&self, prompt: u32, engine: u32) -> bool {
        self.is_on(engine) && self.standing(prompt) == Standing::Counts
    }

    pub(super) fn standing(&self, prompt: u32) -> Standing {
        self.prompts.get(prompt as usize).copied().unwrap_or(self.other_prompts)
    }
}

impl Reader {
    /// What counts in the answer to a query, as its brand sees it.
    pub(in crate::store) fn known(&self, project: i64, brand: i64, query: &CellQuery<'_>) -> Result<Known> {
        let mut statement = self.connection.prepare_cached(
            "SELECT s.id, m.mentions, m.citations, s.share_mentions, s.share_citations
             FROM scope s JOIN scope_brand m ON m.scope_id = s.id AND m.brand_id = ?2 WHERE s.project_id = ?1",
        )?;
        let known: Vec<(usize, Scope)> = statement
            .query_map((project, brand), |row| {
                let scope = Scope {
                    mentions: row.get(1)?,
                    citations: row.get(2)?,
                    share_mentions: row.get(3)?,
                    share_citations: row.get(4)?,
                };
                Ok((row.get(0)?, scope))
            })?
            .collect::<Result<_, _>>()
            .context("scopes")?;
        let mut scopes = Vec::new();
        for (id, scope) in known {
            put(&mut scopes, id, scope, Scope::default());
        }
        let some = query.topic.is_some() || query.prompt.is_some();
        let other_prompts = if some { Standing::Other } else { Standing::Counts };
        let mut prompts = Vec::new();
        if some || !query.include_branded {
            let mut statement = self.connection.prepare_cached(
                "SELECT id, branded FROM prompt
                 WHERE project_id = ?1 AND (?2 OR branded = 1) AND (?3 IS NULL OR topic = ?3)
                   AND (?4 IS NULL OR public_id = ?4)",
            )?;
            let public = query.prompt.map(PromptId::to_i64);
            let mut rows = statement.query((project, some, query.topic, public)).context("prompts")?;
            while let Some(row) = rows.next().context("prompts")? {
                let is_branded = row.get::<_, bool>(1)? && !query.include_branded;
                let standing = if is_branded { Standing::Branded } else { Standing::Counts };
                put(&mut prompts, row.get(0)?, standing, other_prompts);
            }
        }
        Ok(Known { scopes, prompts, other_prompts, engine: self.engine_id(query.engine)? })
    }
}

/// Puts a value at a place of a list that grows as far as it must.
fn put<T: Clone>(list: &mut Vec<T>, at: usize, value: T, other: T) {
    if list.len() <= at {
        list.resize(at + 1, other);
    }
    if let Some(slot) = list.get_mut(at) {
        *slot = value;
    }
}
