//! Interned names: engines, models, statuses, domains, URLs, prompts, brands and scopes become small integers.
//!
//! What was learnt in a transaction that is rolled back is forgotten with it (see `writer`).

use super::{Result, error::Context as _};
use crate::model::{Basis, ProjectKey, PromptId, PromptRecord, host_of, registrable_domain};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};
use xxhash_rust::xxh3::xxh3_64;

// URLs are many: the memory of them is bounded, and begins anew when full.
const URLS: usize = 200_000;

/// Which table of names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Table {
    Engine,
    Model,
    Status,
    Domain,
}

impl Table {
    fn sql(self) -> (&'static str, &'static str) {
        match self {
            Self::Engine => ("SELECT id FROM engine WHERE name = ?1", "INSERT INTO engine (name) VALUES (?1)"),
            Self::Model => ("SELECT id FROM model WHERE name = ?1", "INSERT INTO model (name) VALUES (?1)"),
            Self::Status => ("SELECT id FROM status WHERE name = ?1", "INSERT INTO status (name) VALUES (?1)"),
            Self::Domain => ("SELECT id FROM domain WHERE name = ?1", "INSERT INTO domain (name) VALUES (?1)"),
        }
    }
}

/// By whom one brand was checked, as a member of a scope: brand, mentions, citations.
pub(super) type Member = (i64, Checked, Checked);

/// By whom a brand was looked for in a run. The numbers are those of the cache.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(super) enum Checked {
    #[default]
    No = 0,
    Upstream = 1,
    Derived = 2,
}

impl Checked {
    pub(super) fn of(number: u8) -> Self {
        match number {
            1 => Self::Upstream,
            2 => Self::Derived,
            _ => Self::No,
        }
    }

    pub(super) fn basis(self) -> Option<Basis> {
        match self {
            Self::No => None,
            Self::Upstream => Some(Basis::Upstream),
            Self::Derived => Some(Basis::Derived),
        }
    }

    /// By whom all of them were checked, so that a share can be computed: counts of two bases cannot be added up, but
    /// what was read off the text is there for all.
    fn of_all(all: impl Iterator<Item = Self> + Clone) -> Self {
        if all.clone().any(|one| one == Self::No) { Self::No } else { all.max().unwrap_or_default() }
    }
}

impl rusqlite::types::FromSql for Checked {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        u8::column_result(value).map(Self::of)
    }
}

impl rusqlite::ToSql for Checked {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok((*self as u8).into())
    }
}

/// A prompt as its newest run words it: readings go from new to old, so a later one may know less.
struct KnownPrompt {
    id: i64,
    record: PromptRecord,
    newest_run: Timestamp,
}

/// A prompt on its way in.
pub(super) enum Prompt {
    /// Stored already, with this text or one that is newer.
    Known(i64),
    /// New, or with another text: the full-text index must learn it.
    Reworded(i64),
}

impl Prompt {
    pub(super) fn id(&self) -> i64 {
        let (Self::Known(id) | Self::Reworded(id)) = self;
        *id
    }
}

/// Ids known to one connection.
#[derive(Default)]
pub(super) struct Names {
    names: HashMap<Table, HashMap<String, i64>>,
    urls: HashMap<u64, i64>,
    prompts: HashMap<PromptId, KnownPrompt>,
    scopes: HashMap<(i64, Vec<Member>), i64>,
    members: HashMap<i64, Arc<[Member]>>,
    /// By project, then by the brand's key.
    pub(super) brands: HashMap<i64, HashMap<String, i64>>,
}

impl Names {
    pub(super) fn id(&mut self, tx: &Connection, table: Table, name: &str) -> Result<i64> {
        let known = self.names.entry(table).or_default();
        if let Some(id) = known.get(name) {
            return Ok(*id);
        }
        let (select, insert) = table.sql();
        let found = tx.prepare_cached(select)?.query_row([name], |row| row.get(0)).optional().context("name")?;
        let id = match found {
            Some(id) => id,
            None => tx.prepare_cached(insert)?.insert([name]).context("new name")?,
        };
        known.insert(name.to_owned(), id);
        Ok(id)
    }

    pub(super) fn url(&mut self, tx: &Connection, url: &str) -> Result<i64> {
        let hash = xxh3_64(url.as_bytes());
        if let Some(id) = self.urls.get(&hash) {
            return Ok(*id);
        }
        let key = hash.cast_signed();
        let found = tx
            .prepare_cached("SELECT id FROM url WHERE hash = ?1")?
            .query_row([key], |row| row.get(0))
            .optional()
            .context("url")?;
        let id = if let Some(id) = found {
            id
        } else {
            let domain = match host_of(url) {
                Some(host) => Some(self.id(tx, Table::Domain, registrable_domain(&host))?),
                None => None,
            };
            tx.prepare_cached("INSERT INTO url (hash, url, domain_id) VALUES (?1, ?2, ?3)")?
                .insert((key, url, domain))
                .context("new url")?
        };
        if self.urls.len() >= URLS {
            self.urls.clear();
        }
        self.urls.insert(hash, id);
        Ok(id)
    }

    /// The prompt of a run that was made at `at`; of its wordings the newest run's is kept.
    pub(super) fn prompt(
        &mut self,
        tx: &Connection,
        project: (i64, &ProjectKey),
        (prompt, at): (&PromptRecord, Timestamp),
        branded: impl FnOnce(&str) -> bool,
    ) -> Result<Prompt> {
        let public = PromptId::of(project.1, &prompt.key);
        let known = match self.prompts.entry(public) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let Some(stored) = stored_prompt(tx, public, &prompt.key)? else {
                    let id = insert_prompt(tx, (public, project.0), prompt, branded(&prompt.text))?;
                    entry.insert(KnownPrompt { id, record: prompt.clone(), newest_run: at });
                    return Ok(Prompt::Reworded(id));
                };
                entry.insert(stored)
            }
        };
        let id = known.id;
        if at < known.newest_run {
            return Ok(Prompt::Known(id));
        }
        known.newest_run = at;
        if known.record == *prompt {
            return Ok(Prompt::Known(id));
        }
        let reworded = known.record.text != prompt.text;
        let is_branded = if reworded { Some(branded(&prompt.text)) } else { None };
        tx.prepare_cached(
            "UPDATE prompt SET text = ?2, topic = ?3, label = ?4, branded = coalesce(?5, branded) WHERE id = ?1",
        )?
        .execute((id, &prompt.text, &prompt.topic, &prompt.label, is_branded))
        .context("known prompt")?;
        known.record = prompt.clone();
        Ok(if reworded { Prompt::Reworded(id) } else { Prompt::Known(id) })
    }

    /// The members of a scope.
    pub(super) fn members(&mut self, tx: &Connection, scope: i64) -> Result<Arc<[Member]>> {
        if let Some(members) = self.members.get(&scope) {
            return Ok(Arc::clone(members));
        }
        let members: Arc<[Member]> = tx
            .prepare_cached(
                "SELECT brand_id, mentions, citations FROM scope_brand WHERE scope_id = ?1 ORDER BY brand_id",
            )?
            .query_map([scope], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()
            .context("members of a scope")?;
        self.members.insert(scope, Arc::clone(&members));
        Ok(members)
    }

    /// The scope with exactly these members, which must be sorted.
    pub(super) fn scope(&mut self, tx: &Connection, project: i64, members: Vec<Member>) -> Result<i64> {
        let key = (project, members);
        if let Some(id) = self.scopes.get(&key) {
            return Ok(*id);
        }
        let members = &key.1;
        let text: Vec<String> =
            members.iter().map(|(brand, m, c)| format!("{brand}:{}{}", *m as u8, *c as u8)).collect();
        let text = text.join(" ");
        let found = tx
            .prepare_cached("SELECT id FROM scope WHERE project_id = ?1 AND members = ?2")?
            .query_row((project, &text), |row| row.get(0))
            .optional()
            .context("scope")?;
        let id = if let Some(id) = found {
            id
        } else {
            // A share needs somebody to share with, and everybody looked for.
            let shared = |half: fn(&Member) -> Checked| match members.len() {
                0 | 1 => Checked::No,
                _ => Checked::of_all(members.iter().map(half)),
            };
            let id = tx
                .prepare_cached(
                    "INSERT INTO scope (project_id, members, share_mentions, share_citations) VALUES (?1, ?2, ?3, ?4)",
                )?
                .insert((project, &text, shared(|m| m.1), shared(|m| m.2)))
                .context("new scope")?;
            let mut insert = tx.prepare_cached(
                "INSERT INTO scope_brand (scope_id, brand_id, mentions, citations) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for (brand, mentions, citations) in members {
                insert.execute((id, brand, mentions, citations)).context("new scope member")?;
            }
            id
        };
        self.scopes.insert(key, id);
        Ok(id)
    }
}

fn stored_prompt(tx: &Connection, public: PromptId, key: &str) -> Result<Option<KnownPrompt>> {
    tx.prepare_cached(
        "SELECT id, text, topic, label, (SELECT max(created_at) FROM run WHERE prompt_id = prompt.id)
         FROM prompt WHERE public_id = ?1",
    )?
    .query_row([public.to_i64()], |row| {
        let newest: Option<i64> = row.get(4)?;
        let record = PromptRecord { key: key.to_owned(), text: row.get(1)?, topic: row.get(2)?, label: row.get(3)? };
        let newest_run = newest.and_then(|at| Timestamp::from_millisecond(at).ok()).unwrap_or(Timestamp::MIN);
        Ok(KnownPrompt { id: row.get(0)?, record, newest_run })
    })
    .optional()
    .context("prompt")
}

fn insert_prompt(
    tx: &Connection,
    (public, project): (PromptId, i64),
    prompt: &PromptRecord,
    branded: bool,
) -> Result<i64> {
    tx.prepare_cached(
        "INSERT INTO prompt (public_id, project_id, text, topic, label, branded) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .insert((public.to_i64(), project, &prompt.text, &prompt.topic, &prompt.label, branded))
    .context("new prompt")
}
