//! Projects and brands: saved as discovered, and read back with their domains and aliases.

use super::{Detect, Reader, Result, Write, error::Context as _};
use crate::model::{Brand, BrandKey, BrandKind, ProjectKey, ProjectRecord, SourceName, UpstreamKind};
use jiff::Timestamp;
use rusqlite::OptionalExtension as _;
use std::collections::BTreeSet;

// How a spelling counts.
const ALIAS: &str = "alias";
const EXACT: &str = "exact";
const EXCLUDED: &str = "excluded";

/// A stored brand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BrandRow {
    /// The brand.
    pub brand: Brand,
    /// No longer tracked upstream?
    pub gone: bool,
}

impl Write<'_> {
    /// Makes sure that a source is known.
    ///
    /// # Errors
    /// Where a statement fails.
    pub fn save_source(&mut self, source: &SourceName, upstream: UpstreamKind) -> Result<()> {
        self.tx
            .execute(
                "INSERT INTO source (name, upstream) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET upstream = excluded.upstream",
                (source.as_str(), upstream.as_str()),
            )
            .context("source")?;
        Ok(())
    }

    /// Stores a project with its brands, which are those of the upstream and what the configuration adds to them. Brands
    /// no longer listed are marked. When names of brands changed, prompts are asked again whether they name one.
    ///
    /// # Errors
    /// Where a statement fails.
    pub fn save_project(
        &mut self,
        source: &SourceName,
        project: &ProjectRecord,
        brands: &[Brand],
        detect: &dyn Detect,
        now: Timestamp,
    ) -> Result<()> {
        let roster = serde_json::to_string(&project.brands).unwrap_or_default();
        let raw = zstd::bulk::compress(project.raw.as_bytes(), 3).unwrap_or_default();
        self.tx
            .execute(
                "INSERT INTO project (source_id, key, name, website, raw, seen_at, roster)
                 VALUES ((SELECT id FROM source WHERE name = ?1), ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (source_id, key) DO UPDATE SET name = excluded.name, website = excluded.website,
                     raw = excluded.raw, seen_at = excluded.seen_at, gone_at = NULL, roster = excluded.roster",
                (source.as_str(), &project.key, &project.name, &project.website, raw, now.as_millisecond(), roster),
            )
            .context("project")?;
        let key = ProjectKey { source: source.clone(), key: project.key.clone() };
        self.save_brands(&key, brands, detect, now)
    }

    /// Stores the brands of a project, as [`Write::save_project`] does.
    ///
    /// # Errors
    /// Where a statement fails.
    pub fn save_brands(
        &mut self,
        project: &ProjectKey,
        brands: &[Brand],
        detect: &dyn Detect,
        now: Timestamp,
    ) -> Result<()> {
        let id = self.project_id(project)?;
        let now = now.as_millisecond();
        let before = self.brand_names(id)?;
        for brand in brands {
            self.save_brand(id, brand)?;
        }
        let listed: BTreeSet<&str> = brands.iter().map(|brand| brand.key.0.as_str()).collect();
        for key in self.brand_keys(id)? {
            let gone = (!listed.contains(key.as_str())).then_some(now);
            self.tx
                .prepare_cached(
                    "UPDATE brand SET gone_at = CASE WHEN ?3 IS NULL THEN NULL ELSE coalesce(gone_at, ?3) END
                     WHERE project_id = ?1 AND key = ?2",
                )?
                .execute((id, key, gone))
                .context("gone brand")?;
        }
        if before != self.brand_names(id)? {
            self.mark_branded(id, detect)?;
        }
        Ok(())
    }

    /// Marks projects that a complete discovery no longer lists. Their data stays.
    ///
    /// # Errors
    /// Where a statement fails.
    pub fn mark_gone_projects(&mut self, source: &SourceName, listed: &[String], now: Timestamp) -> Result<()> {
        let mut statement = self.tx.prepare_cached(
            "SELECT p.id, p.key FROM project p JOIN source s ON s.id = p.source_id WHERE s.name = ?1 AND p.gone_at IS NULL",
        )?;
        let stored: Vec<(i64, String)> = statement
            .query_map([source.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()
            .context("projects")?;
        for (id, _) in stored.iter().filter(|(_, key)| !listed.contains(key)) {
            self.tx
                .execute("UPDATE project SET gone_at = ?2 WHERE id = ?1", (id, now.as_millisecond()))
                .context("gone project")?;
        }
        Ok(())
    }

    fn save_brand(&mut self, project: i64, brand: &Brand) -> Result<()> {
        let former: Option<String> = self
            .tx
            .prepare_cached("SELECT kind FROM brand WHERE project_id = ?1 AND key = ?2")?
            .query_row((project, &brand.key.0), |row| row.get(0))
            .optional()
            .context("brand kind")?;
        if former.is_some_and(|kind| kind != brand.kind.as_str()) {
            // Gaps are counted by kind.
            self.touch_project(project)?;
        }
        let id: i64 = self
            .tx
            .query_row(
                "INSERT INTO brand (project_id, key, name, kind) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (project_id, key) DO UPDATE SET name = excluded.name, kind = excluded.kind, gone_at = NULL
                 RETURNING id",
                (project, &brand.key.0, &brand.name, brand.kind.as_str()),
                |row| row.get(0),
            )
            .context("brand")?;
        self.tx.execute("DELETE FROM brand_domain WHERE brand_id = ?1", [id]).context("brand domains")?;
        self.tx.execute("DELETE FROM brand_spelling WHERE brand_id = ?1", [id]).context("brand spellings")?;
        for domain in &brand.domains {
            self.tx
                .prepare_cached("INSERT OR IGNORE INTO brand_domain (brand_id, domain) VALUES (?1, ?2)")?
                .execute((id, domain))
                .context("brand domain")?;
        }
        for (counts, texts) in [(ALIAS, &brand.aliases), (EXACT, &brand.exact), (EXCLUDED, &brand.excluded)] {
            for text in texts {
                self.tx
                    .prepare_cached(
                        "INSERT OR IGNORE INTO brand_spelling (brand_id, text, counts) VALUES (?1, ?2, ?3)",
                    )?
                    .execute((id, text, counts))
                    .context("brand spelling")?;
            }
        }
        Ok(())
    }

    fn brand_keys(&self, project: i64) -> Result<Vec<String>> {
        let mut statement = self.tx.prepare_cached("SELECT key FROM brand WHERE project_id = ?1")?;
        statement.query_map([project], |row| row.get(0))?.collect::<Result<_, _>>().context("brand keys")
    }

    /// Every name and alias that makes a prompt branded.
    fn brand_names(&self, project: i64) -> Result<BTreeSet<String>> {
        let mut statement = self.tx.prepare_cached(
            "SELECT kind || ':' || name FROM brand WHERE project_id = ?1 AND gone_at IS NULL
             UNION SELECT b.kind || ':' || s.counts || ':' || s.text
                   FROM brand_spelling s JOIN brand b ON b.id = s.brand_id
                   WHERE b.project_id = ?1 AND b.gone_at IS NULL",
        )?;
        statement.query_map([project], |row| row.get(0))?.collect::<Result<_, _>>().context("brand names")
    }

    fn mark_branded(&mut self, project: i64, detect: &dyn Detect) -> Result<()> {
        let mut statement = self.tx.prepare("SELECT id, text, branded FROM prompt WHERE project_id = ?1")?;
        let prompts: Vec<(i64, String, bool)> = statement
            .query_map([project], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()
            .context("prompts")?;
        let mut moved = false;
        for (id, text, was) in prompts {
            let is = detect.is_branded(&text);
            if is != was {
                self.tx
                    .prepare_cached("UPDATE prompt SET branded = ?2 WHERE id = ?1")?
                    .execute((id, is))
                    .context("branded")?;
                moved = true;
            }
        }
        if moved { self.touch_project(project) } else { Ok(()) }
    }

    /// Marks every day of a project as behind.
    fn touch_project(&self, project: i64) -> Result<()> {
        self.tx
            .execute(
                "INSERT OR IGNORE INTO dirty_day (project_id, day) SELECT project_id, day FROM day_base WHERE project_id = ?1",
                [project],
            )
            .context("touch project")?;
        Ok(())
    }
}

impl Reader {
    /// The brands of a project as its upstream has them; none for a project that was last synced before they were kept.
    ///
    /// # Errors
    /// [`super::Error::Stopped`] over the limit; anything else is a damaged file.
    pub fn roster(&self, project: &ProjectKey) -> Result<Option<Vec<Brand>>> {
        let Some(project) = self.project_id(project)? else { return Ok(None) };
        let roster: Option<String> = self
            .connection
            .prepare_cached("SELECT roster FROM project WHERE id = ?1")?
            .query_row([project], |row| row.get(0))
            .context("roster")?;
        Ok(roster.and_then(|roster| serde_json::from_str(&roster).ok()))
    }

    /// The brands of a project: own first, then competitors, then others, each by name.
    ///
    /// # Errors
    /// [`super::Error::Stopped`] over the limit; anything else is a damaged file.
    pub fn brands(&self, project: &ProjectKey) -> Result<Vec<BrandRow>> {
        let Some(project) = self.project_id(project)? else { return Ok(Vec::new()) };
        let mut statement = self.connection.prepare_cached(
            "SELECT id, key, name, kind, gone_at IS NOT NULL FROM brand WHERE project_id = ?1
             ORDER BY CASE kind WHEN 'own' THEN 0 WHEN 'competitor' THEN 1 ELSE 2 END, name, key",
        )?;
        let rows: Vec<(i64, BrandRow)> = statement
            .query_map([project], |row| {
                let kind = match row.get_ref(3)?.as_str().unwrap_or_default() {
                    "own" => BrandKind::Own,
                    "competitor" => BrandKind::Competitor,
                    _ => BrandKind::Other,
                };
                let brand = Brand {
                    key: BrandKey(row.get(1)?),
                    name: row.get(2)?,
                    kind,
                    domains: Vec::new(),
                    aliases: Vec::new(),
                    exact: Vec::new(),
                    excluded: Vec::new(),
                };
                Ok((row.get(0)?, BrandRow { brand, gone: row.get(4)? }))
            })?
            .collect::<Result<_, _>>()
            .context("brands")?;
        let mut domains =
            self.connection.prepare_cached("SELECT domain FROM brand_domain WHERE brand_id = ?1 ORDER BY domain")?;
        let mut spellings = self
            .connection
            .prepare_cached("SELECT text FROM brand_spelling WHERE brand_id = ?1 AND counts = ?2 ORDER BY text")?;
        rows.into_iter()
            .map(|(id, mut row)| {
                row.brand.domains =
                    domains.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>().context("domains")?;
                let mut spelled = |counts: &str| -> Result<Vec<String>> {
                    spellings.query_map((id, counts), |row| row.get(0))?.collect::<Result<_, _>>().context("spellings")
                };
                row.brand.aliases = spelled(ALIAS)?;
                row.brand.exact = spelled(EXACT)?;
                row.brand.excluded = spelled(EXCLUDED)?;
                Ok(row)
            })
            .collect()
    }
}
