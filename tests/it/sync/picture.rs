//! What a cache holds, read through its doors, in a form that can be compared: rows, figures, and what is left to do.

use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;
use visibility_mcp::{
    model::{Basis, Cell, DayRange, ProjectKey, Status, registrable_domain},
    store::{CellQuery, CellTable, Direction, EngineCoverage, Reader, RunDetails, RunFilter, RunSort, Store},
};

/// Runs in the lists of a project, whole, oldest first.
pub fn listed(reader: &Reader, project: &ProjectKey) -> Vec<RunDetails> {
    let (mut runs, mut after) = (Vec::new(), None);
    loop {
        let order = (RunSort::CreatedAt, Direction::Asc);
        let (page, next) = reader.runs(project, &RunFilter::default(), order, after.as_ref(), 500).unwrap();
        runs.extend(page.iter().map(|row| reader.run_details(row.id, None).unwrap().unwrap()));
        match next {
            Some(cursor) => after = Some(cursor),
            None => return runs,
        }
    }
}

/// Everything that two caches of the same tracker must agree in, one line each, sorted. Left out: when syncs ran, row
/// ids and what only serves compression.
pub fn picture(store: &Store) -> Vec<String> {
    let reader = store.reader().unwrap();
    let mut lines = Vec::new();
    for project in reader.projects().unwrap() {
        let key = project.key.clone();
        lines.push(format!("{project:?}"));
        lines.extend(reader.brands(&key).unwrap().iter().map(|brand| format!("{} {brand:?}", key.key)));
        for mut run in listed(&reader, &key) {
            let record = reader.raw_record(run.row.id).unwrap().unwrap();
            for state in &mut run.history {
                state.replaced_at = jiff::Timestamp::UNIX_EPOCH;
            }
            lines.push(format!("{run:?} {record}"));
        }
        for slice in reader.slices(&key).unwrap() {
            let (done, cursor) = (slice.completed_at.is_some(), slice.cursor);
            lines.push(format!("{} {} complete {done} cursor {cursor:?} open {}", key.key, slice.key, slice.open_runs));
        }
    }
    let connection = open(store);
    for sql in [
        "SELECT 'published', p.key, day, engine, metric, value FROM published JOIN project p ON p.id = project_id",
        "SELECT 'gone', public_id, day FROM run WHERE gone_at IS NOT NULL",
        "SELECT 'rows', (SELECT count(*) FROM run), (SELECT count(*) FROM run_brand), (SELECT count(*) FROM citation),
                (SELECT count(*) FROM answer), (SELECT count(*) FROM record), (SELECT count(*) FROM run_history)",
        "SELECT 'slice rows', s.key, count(*), sum(r.pass = s.pass) FROM slice s JOIN slice_run r ON r.slice_id = s.id
         GROUP BY s.id",
        "SELECT 'indexed', (SELECT count(*) FROM answer_fts WHERE answer_fts MATCH 'the OR a OR and'),
                (SELECT count(*) FROM prompt_fts WHERE prompt_fts MATCH 'the OR a OR which OR what')",
        "SELECT 'behind', project_id, day FROM dirty_day",
        "SELECT 'aside', place, reason FROM quarantine",
    ] {
        lines.extend(rows(&connection, sql));
    }
    lines.sort();
    lines
}

/// Two caches hold the same; tells the first difference only.
pub fn assert_same(case: &str, found: &[String], expected: &[String]) {
    if found == expected {
        return;
    }
    let only = |a: &[String], b: &[String]| {
        let lines: Vec<&String> = a.iter().filter(|line| !b.contains(line)).collect();
        let first: String = lines.first().map_or("nothing", |line| line.as_str()).chars().take(1_500).collect();
        format!("{} lines, the first: {first}", lines.len())
    };
    panic!("{case}:\nonly found: {}\nonly expected: {}", only(found, expected), only(expected, found));
}

fn open(store: &Store) -> Connection {
    Connection::open_with_flags(store.path(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// The answer to a query, one text a row.
pub fn rows(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let values: Vec<String> =
            (0..columns).map(|i| format!("{:?}", row.get_unwrap::<_, rusqlite::types::Value>(i))).collect();
        Ok(values.join(" "))
    };
    statement.query_map((), row).unwrap().map(Result::unwrap).collect()
}

/// The file is sound, nothing in it points nowhere, and no day's rollup is behind.
pub fn assert_sound(case: &str, store: &Store) {
    let connection = open(store);
    assert_eq!(rows(&connection, "PRAGMA integrity_check"), ["Text(\"ok\")"], "{case}");
    assert_eq!(rows(&connection, "PRAGMA foreign_key_check"), [""; 0], "{case}");
    assert_eq!(rows(&connection, "SELECT * FROM dirty_day"), [""; 0], "{case}: days whose rollup is behind");
    assert_figures(case, &store.reader().unwrap());
}

/// Every figure out of the rollups is the one that the rows give.
pub fn assert_figures(case: &str, reader: &Reader) {
    reader
        .snapshot(|reader| {
            for project in reader.projects()? {
                assert_project_figures(case, reader, &project.key);
            }
            Ok::<(), visibility_mcp::store::Error>(())
        })
        .unwrap();
}

fn assert_project_figures(case: &str, reader: &Reader, project: &ProjectKey) {
    let coverage = reader.coverage(project, None, jiff::Timestamp::UNIX_EPOCH).unwrap();
    let runs = listed(reader, project);
    let mut counted: BTreeMap<String, EngineCoverage> = BTreeMap::new();
    for run in &runs {
        let count = counted.entry(run.row.engine.clone()).or_default();
        match run.row.status {
            Status::Finished => count.finished += 1,
            Status::Failed => count.failed += 1,
            _ => count.open += 1,
        }
    }
    assert_eq!(coverage.engines, counted, "{case}: runs by engine");
    let Some(days) = coverage.days else { return };
    for brand in reader.brands(project).unwrap() {
        for engine in counted.keys().map(|engine| Some(engine.as_str())).chain([None]) {
            for (days, include_branded) in [(days, true), (days, false), (DayRange::ending(days.last, 2), true)] {
                let brand = &brand.brand.key;
                let query = CellQuery { project, brand, basis: Basis::Upstream, days, engine, include_branded };
                let kept = sorted(reader.cells(&query).unwrap());
                assert_eq!(kept, sorted(reader.cells_from_rows(&query).unwrap()), "{case}: {query:?}");
            }
        }
    }
    assert_domains(case, reader, project, days, &runs);
}

fn assert_domains(case: &str, reader: &Reader, project: &ProjectKey, days: DayRange, runs: &[RunDetails]) {
    let mut counted: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for run in runs.iter().filter(|run| run.row.status == Status::Finished) {
        let mut domains: Vec<String> = run.citations.iter().filter_map(|citation| citation.domain.clone()).collect();
        domains.sort();
        for same in domains.chunk_by(|a, b| a == b) {
            assert_eq!(same[0], registrable_domain(&same[0]));
            let count = counted.entry(same[0].clone()).or_default();
            *count = (count.0 + 1, count.1 + same.len() as u64);
        }
    }
    let kept = reader.top_domains(project, days, None, true, 10_000).unwrap();
    let kept = kept.into_iter().map(|count| (count.domain, (count.runs, count.citations))).collect();
    assert_eq!(counted, kept, "{case}: domains");
}

/// Cells in one order.
fn sorted(table: CellTable) -> (Vec<(Cell, u32)>, u64) {
    let mut cells: Vec<(Cell, u32)> = table.cells.into_iter().zip(table.gaps).collect();
    cells.sort_by_key(|(cell, _)| (cell.prompt, cell.engine));
    (cells, table.branded_runs)
}
