//! Daily rollups: rebuilt whole for each day that a sync touched, so that they are the same however often it ran.
//!
//! A touched day is marked in the transaction that touched it; until it is rebuilt, readers count its rows
//! themselves (`cells`), so a figure is right at every moment.

use super::{
    Result, Write,
    error::Context as _,
    packed::{BaseCell, BrandCell, DomainCell, SourceCell, pack_base, pack_brand, pack_domains, pack_sources},
    scores::{Recompute, recheck},
};
use crate::model::{Day, ProjectKey};
use rusqlite::Connection;
use std::collections::BTreeMap;

// One finished run of the day, with the flags of its scope.
const RUNS: &str = "
SELECT r.id, r.prompt_id, r.engine_id, r.scope_id, p.branded,
       EXISTS (SELECT 1 FROM scope_brand s JOIN brand b ON b.id = s.brand_id
               WHERE s.scope_id = r.scope_id AND b.kind = 'own' AND s.mentions AND s.citations),
       sc.share_mentions = 2, sc.share_citations = 2
FROM run r JOIN prompt p ON p.id = r.prompt_id JOIN scope sc ON sc.id = r.scope_id
WHERE r.project_id = ?1 AND r.day = ?2 AND r.status_id = 3 AND r.gone_at IS NULL
ORDER BY r.prompt_id, r.engine_id, r.scope_id, r.id";

const FACTS: &str = "
SELECT f.brand_id, b.kind, s.mentions AND s.citations, f.mentions, f.citations, f.best_citation_position,
       f.mention_rank, f.sentiment, f.derived_mentions, f.derived_citations
FROM run_brand f
JOIN brand b ON b.id = f.brand_id
JOIN scope_brand s ON s.scope_id = ?2 AND s.brand_id = f.brand_id
WHERE f.run_id = ?1";

const DOMAINS: &str =
    "SELECT u.domain_id FROM citation c JOIN url u ON u.id = c.url_id WHERE c.run_id = ?1 AND u.domain_id IS NOT NULL";

#[derive(Default)]
struct DayCells {
    base: BTreeMap<(u32, u32, u32), BaseCell>,
    brands: BTreeMap<i64, BTreeMap<(u32, u32, u32), BrandCell>>,
    domains: BTreeMap<(u32, u32, u32), DomainCell>,
    sources: BTreeMap<(u32, u32, u32), SourceCell>,
}

impl Write<'_> {
    /// Rebuilds the rollups of every touched day of a project, and compares what its upstream publishes for these days.
    ///
    /// # Errors
    /// Where a statement fails.
    pub fn refresh_rollups(&mut self, project: &ProjectKey, recompute: &Recompute) -> Result<()> {
        let project = self.project_id(project)?;
        for day in self.dirty_days(project)? {
            rebuild(self.tx, project, day)?;
            recheck(self.tx, project, day.epoch_days(), recompute)?;
        }
        Ok(())
    }

    fn dirty_days(&self, project: i64) -> Result<Vec<Day>> {
        let mut days = self.tx.prepare_cached("SELECT day FROM dirty_day WHERE project_id = ?1 ORDER BY day DESC")?;
        let days = days.query_map([project], |row| row.get(0).map(Day::from_epoch_days))?.collect::<Result<_, _>>();
        days.context("dirty days")
    }

    /// Marks a day's rollups as behind its rows.
    pub(super) fn touch_day(&self, project: i64, day: i32) -> Result<()> {
        self.tx
            .prepare_cached("INSERT OR IGNORE INTO dirty_day (project_id, day) VALUES (?1, ?2)")?
            .execute((project, day))
            .context("touch day")?;
        Ok(())
    }
}

fn rebuild(tx: &Connection, project: i64, day: Day) -> Result<()> {
    let cells = count(tx, project, day)?;
    let day = day.epoch_days();
    let base: Vec<BaseCell> = cells.base.into_values().collect();
    tx.prepare_cached(
        "INSERT INTO day_base (project_id, day, cells) VALUES (?1, ?2, ?3)
         ON CONFLICT (project_id, day) DO UPDATE SET cells = excluded.cells",
    )?
    .execute((project, day, pack_base(&base)))
    .context("day_base")?;
    tx.prepare_cached(
        "DELETE FROM day_brand WHERE day = ?2 AND brand_id IN (SELECT id FROM brand WHERE project_id = ?1)",
    )?
    .execute((project, day))
    .context("old day_brand")?;
    for (brand, cells) in cells.brands {
        let cells: Vec<BrandCell> = cells.into_values().collect();
        tx.prepare_cached("INSERT INTO day_brand (brand_id, day, cells) VALUES (?1, ?2, ?3)")?
            .execute((brand, day, pack_brand(&cells)))
            .context("day_brand")?;
    }
    let domains: Vec<DomainCell> = cells.domains.into_values().collect();
    tx.prepare_cached(
        "INSERT INTO day_domain (project_id, day, cells) VALUES (?1, ?2, ?3)
         ON CONFLICT (project_id, day) DO UPDATE SET cells = excluded.cells",
    )?
    .execute((project, day, pack_domains(&domains)))
    .context("day_domain")?;
    let sources: Vec<SourceCell> = cells.sources.into_values().collect();
    tx.prepare_cached(
        "INSERT INTO day_source (project_id, day, cells) VALUES (?1, ?2, ?3)
         ON CONFLICT (project_id, day) DO UPDATE SET cells = excluded.cells",
    )?
    .execute((project, day, pack_sources(&sources)))
    .context("day_source")?;
    tx.prepare_cached("DELETE FROM day_count WHERE project_id = ?1 AND day = ?2")?
        .execute((project, day))
        .context("old day_count")?;
    tx.prepare_cached(
        "INSERT INTO day_count (project_id, day, engine_id, status_id, runs)
         SELECT project_id, day, engine_id, status_id, count(*) FROM run
         WHERE project_id = ?1 AND day = ?2 AND gone_at IS NULL GROUP BY engine_id, status_id",
    )?
    .execute((project, day))
    .context("day_count")?;
    tx.prepare_cached("DELETE FROM day_rows WHERE project_id = ?1 AND day = ?2")?
        .execute((project, day))
        .context("old day_rows")?;
    tx.prepare_cached(
        "INSERT INTO day_rows (project_id, day, low, high)
         SELECT project_id, day, min(id), max(id) FROM run INDEXED BY run_by_day
         WHERE project_id = ?1 AND day = ?2 GROUP BY project_id, day",
    )?
    .execute((project, day))
    .context("day_rows")?;
    tx.prepare_cached("DELETE FROM day_model WHERE project_id = ?1 AND day = ?2")?
        .execute((project, day))
        .context("old day_model")?;
    tx.prepare_cached(
        "INSERT INTO day_model (project_id, day, engine_id, model_id, runs)
         SELECT project_id, day, engine_id, model_id, count(*) FROM run
         WHERE project_id = ?1 AND day = ?2 AND status_id = 3 AND gone_at IS NULL AND model_id IS NOT NULL
         GROUP BY engine_id, model_id",
    )?
    .execute((project, day))
    .context("day_model")?;
    tx.prepare_cached("DELETE FROM dirty_day WHERE project_id = ?1 AND day = ?2")?
        .execute((project, day))
        .context("clean day")?;
    Ok(())
}

/// Counts one day from its rows.
fn count(tx: &Connection, project: i64, day: Day) -> Result<DayCells> {
    let mut cells = DayCells::default();
    let mut statement = tx.prepare_cached(RUNS)?;
    let mut rows = statement.query((project, day.epoch_days())).context("runs of a day")?;
    while let Some(row) = rows.next().context("runs of a day")? {
        let run: i64 = row.get(0)?;
        let key: (u32, u32, u32) = (row.get(1)?, row.get(2)?, row.get(3)?);
        let branded = row.get(4)?;
        let seen = count_run(
            tx,
            &mut cells,
            (run, key),
            &Flags { own_checked: row.get(5)?, derived: (row.get(6)?, row.get(7)?) },
        )?;
        count_domains(tx, &mut cells, (run, key), branded, &seen)?;
    }
    Ok(cells)
}

/// What a run's scope says of it.
struct Flags {
    own_checked: bool,
    /// Shares of mentions, and of citations, are of what was read off the text.
    derived: (bool, bool),
}

/// What a run shows of the own brand.
struct Seen {
    /// It was looked for and is absent, and a competitor is present.
    gap: bool,
    /// It was looked for and is present.
    present: bool,
}

fn count_run(tx: &Connection, cells: &mut DayCells, (run, key): (i64, (u32, u32, u32)), flags: &Flags) -> Result<Seen> {
    let (prompt, engine, scope) = key;
    let base = cells.base.entry(key).or_insert_with(|| BaseCell { prompt, engine, scope, ..BaseCell::default() });
    base.runs += 1;
    let (mut own_present, mut rival_present) = (false, false);
    let mut statement = tx.prepare_cached(FACTS)?;
    let mut facts = statement.query((run, scope)).context("facts of a run")?;
    while let Some(fact) = facts.next().context("facts of a run")? {
        let brand: i64 = fact.get(0)?;
        let both_checked: bool = fact.get(2)?;
        let mentions = fact.get::<_, Option<u32>>(3)?.unwrap_or(0);
        let citations = fact.get::<_, Option<u32>>(4)?.unwrap_or(0);
        let present = mentions > 0 || citations > 0;
        match fact.get_ref(1)?.as_str().unwrap_or_default() {
            "own" => own_present |= present,
            "competitor" => rival_present |= present,
            _ => {}
        }
        let shared = (
            if flags.derived.0 { fact.get::<_, Option<u32>>(8)?.unwrap_or(0) } else { mentions },
            if flags.derived.1 { fact.get::<_, Option<u32>>(9)?.unwrap_or(0) } else { citations },
        );
        base.mentions += shared.0;
        base.citations += shared.1;
        let cell = cells.brands.entry(brand).or_default().entry(key).or_insert_with(|| BrandCell {
            prompt,
            engine,
            scope,
            ..BrandCell::default()
        });
        cell.mentioned += u32::from(mentions > 0);
        cell.cited += u32::from(citations > 0);
        cell.present += u32::from(both_checked && present);
        cell.mentions += shared.0;
        cell.citations += shared.1;
        if let Some(position) = fact.get::<_, Option<u32>>(5)? {
            cell.position_sum += position;
            cell.position_runs += 1;
        }
        if let Some(rank) = fact.get::<_, Option<u32>>(6)? {
            cell.rank_sum += rank;
            cell.rank_runs += 1;
        }
        if let Some(sentiment) = fact.get::<_, Option<f64>>(7)? {
            cell.sentiment_sum += sentiment;
            cell.sentiment_runs += 1;
        }
    }
    let seen =
        Seen { gap: flags.own_checked && !own_present && rival_present, present: flags.own_checked && own_present };
    base.gaps += u32::from(seen.gap);
    Ok(seen)
}

fn count_domains(
    tx: &Connection,
    cells: &mut DayCells,
    (run, (prompt, engine, _)): (i64, (u32, u32, u32)),
    branded: bool,
    seen: &Seen,
) -> Result<()> {
    let mut statement = tx.prepare_cached(DOMAINS)?;
    let mut domains: Vec<u32> =
        statement.query_map([run], |row| row.get(0))?.collect::<Result<_, _>>().context("domains")?;
    domains.sort_unstable();
    let branded = u32::from(branded);
    for same in domains.chunk_by(|a, b| a == b) {
        let Some(&domain) = same.first() else { continue };
        let cell = cells.domains.entry((domain, engine, branded)).or_insert_with(|| DomainCell {
            domain,
            engine,
            branded,
            ..DomainCell::default()
        });
        let citations = u32::try_from(same.len()).unwrap_or(u32::MAX);
        cell.runs += 1;
        cell.citations += citations;
        let cell = cells.sources.entry((domain, prompt, engine)).or_insert_with(|| SourceCell {
            domain,
            prompt,
            engine,
            ..SourceCell::default()
        });
        cell.runs += 1;
        cell.citations += citations;
        cell.gaps += u32::from(seen.gap);
        cell.present += u32::from(seen.present);
    }
    Ok(())
}
