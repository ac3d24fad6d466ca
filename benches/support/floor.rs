//! The floor of an ingest: the same rows written by hand, without compression, full-text index or rollups.
//!
//! The tables have the same keys and indexes as the cache's own; names are interned in memory; a page is a commit.

use rusqlite::{Connection, params};
use std::{collections::HashMap, path::Path};
use visibility_mcp::upstream::Page;
use xxhash_rust::xxh3::xxh3_64;

const SCHEMA: &str = "
PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 8000;
PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;
CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE run (
    id INTEGER PRIMARY KEY, public_id INTEGER NOT NULL UNIQUE, project INTEGER NOT NULL, prompt INTEGER NOT NULL,
    engine INTEGER NOT NULL, model INTEGER, status INTEGER NOT NULL, day INTEGER NOT NULL, created_at INTEGER NOT NULL,
    started_at INTEGER, finished_at INTEGER, total_citations INTEGER, web_search INTEGER, cost REAL, failure TEXT,
    raw_hash INTEGER NOT NULL
) STRICT;
CREATE INDEX run_by_time ON run (project, created_at);
CREATE INDEX run_by_day ON run (project, day);
CREATE INDEX run_by_prompt ON run (prompt, created_at);
CREATE TABLE fact (
    run INTEGER NOT NULL, brand INTEGER NOT NULL, mentions INTEGER, citations INTEGER, position INTEGER,
    PRIMARY KEY (run, brand)
) STRICT, WITHOUT ROWID;
CREATE TABLE citation (
    run INTEGER NOT NULL, position INTEGER NOT NULL, url INTEGER NOT NULL, brand INTEGER, PRIMARY KEY (run, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE answer (run INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE record (run INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
";

/// Writes the pages into a new file; with the upstream's records, as the cache keeps them, or without.
pub fn insert(file: &Path, pages: &[Page], records: bool) {
    let mut connection = Connection::open(file).unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    connection.set_prepared_statement_cache_capacity(32);
    let mut names: HashMap<String, i64> = HashMap::new();
    let mut id = 0;
    for page in pages {
        let tx = connection.transaction().unwrap();
        for run in &page.runs {
            id += 1;
            let mut name = |text: &str| intern(&tx, &mut names, text);
            let (prompt, engine) = (name(&run.prompt.key), name(&run.engine));
            let (model, status) = (run.model.as_deref().map(&mut name), name(run.status.as_str()));
            let millis = |at: Option<jiff::Timestamp>| at.map(jiff::Timestamp::as_millisecond);
            tx.prepare_cached(
                "INSERT INTO run VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            )
            .unwrap()
            .execute(params![
                id,
                xxh3_64(run.key.as_bytes()).cast_signed(),
                prompt,
                engine,
                model,
                status,
                run.day.epoch_days(),
                run.created_at.as_millisecond(),
                millis(run.started_at),
                millis(run.finished_at),
                run.total_citations,
                run.web_search,
                run.cost_usd,
                run.failure_reason,
                run.raw_hash.cast_signed(),
            ])
            .unwrap();
            for fact in run.facts.iter().filter(|fact| fact.mentions > Some(0) || fact.citations > Some(0)) {
                let brand = name(&fact.brand.0);
                tx.prepare_cached("INSERT OR IGNORE INTO fact VALUES (?1, ?2, ?3, ?4, ?5)")
                    .unwrap()
                    .execute((id, brand, fact.mentions, fact.citations, fact.best_citation_position))
                    .unwrap();
            }
            for (position, citation) in run.citations.iter().flatten().enumerate() {
                let (url, brand) = (name(&citation.url), citation.brand.as_ref().map(|brand| name(&brand.0)));
                tx.prepare_cached("INSERT INTO citation VALUES (?1, ?2, ?3, ?4)")
                    .unwrap()
                    .execute((id, position, url, brand))
                    .unwrap();
            }
            if let Some(answer) = &run.answer {
                tx.prepare_cached("INSERT INTO answer VALUES (?1, ?2)").unwrap().execute((id, answer)).unwrap();
            }
            if records {
                tx.prepare_cached("INSERT INTO record VALUES (?1, ?2)").unwrap().execute((id, &run.raw)).unwrap();
            }
        }
        tx.commit().unwrap();
    }
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
}

fn intern(tx: &Connection, names: &mut HashMap<String, i64>, text: &str) -> i64 {
    if let Some(id) = names.get(text) {
        return *id;
    }
    let insert = tx.prepare_cached("INSERT INTO name (text) VALUES (?1)").unwrap().insert([text]).unwrap();
    names.insert(text.to_owned(), insert);
    insert
}
