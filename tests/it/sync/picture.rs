//! What a cache holds, read through its doors, in a form that can be compared: rows, figures, and what is left to do.

use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;
use visibility_mcp::{
    model::{Cell, DayRange, ProjectKey, Status},
    store::{
        CellQuery, CellTable, Direction, EngineCoverage, Reader, RunDetails, RunFilter, RunRow, RunSort, Store, Stored,
    },
};

/// The rows of a project's list, oldest first.
pub fn lines(reader: &Reader, project: &ProjectKey) -> Vec<RunRow> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let order = (RunSort::CreatedAt, Direction::Asc);
        let (page, next) = reader.runs(project, &RunFilter::default(), order, after.as_ref(), 500).unwrap();
        rows.extend(page.into_iter().map(|row| RunRow { stored: Stored::default(), ..row }));
        match next {
            Some(cursor) => after = Some(cursor),
            None => return rows,
        }
    }
}

/// The runs of a project's list, whole, oldest first.
pub fn listed(reader: &Reader, project: &ProjectKey) -> Vec<RunDetails> {
    let whole = |row: &RunRow| {
        let mut run = reader.run_details(row.id, None).unwrap().unwrap();
        run.row.stored = Stored::default();
        run
    };
    lines(reader, project).iter().map(whole).collect()
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
        "SELECT 'published', p.key, day, brand, engine, metric, value FROM published JOIN project p ON p.id = project_id",
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
    let reader = store.reader().unwrap();
    assert_domains(case, &connection, &reader);
    assert_figures(case, &reader);
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
    let mut counted: BTreeMap<String, EngineCoverage> = BTreeMap::new();
    for row in lines(reader, project) {
        let count = counted.entry(row.engine).or_default();
        match row.status {
            Status::Finished => count.finished += 1,
            Status::Failed => count.failed += 1,
            _ => count.open += 1,
        }
    }
    assert_eq!(coverage.engines, counted, "{case}: runs by engine");
    let Some(days) = coverage.reach.days else { return };
    for brand in reader.brands(project).unwrap() {
        let brand = &brand.brand.key;
        let engines = counted.keys().map(|engine| (DayRange::ending(days.last, 2), Some(engine.as_str()), true));
        for (days, engine, include_branded) in engines.chain([(days, None, true), (days, None, false)]) {
            let query = CellQuery { engine, include_branded, ..CellQuery::new(project, brand, days) };
            let kept = sorted(reader.cells(&query).unwrap());
            assert_eq!(kept, sorted(reader.cells_from_rows(&query).unwrap()), "{case}: {query:?}");
        }
    }
}

/// Cited domains out of the rollups are those of the citations.
fn assert_domains(case: &str, connection: &Connection, reader: &Reader) {
    const DOMAINS: &str = "
        SELECT d.name, count(DISTINCT r.id), count(*) FROM citation c JOIN run r ON r.id = c.run_id
        JOIN url u ON u.id = c.url_id JOIN domain d ON d.id = u.domain_id JOIN status s ON s.id = r.status_id
        JOIN project p ON p.id = r.project_id
        WHERE s.name = 'finished' AND r.gone_at IS NULL AND p.key = ?1 GROUP BY d.name";
    let mut statement = connection.prepare(DOMAINS).unwrap();
    for project in reader.projects().unwrap() {
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)));
        let counted: BTreeMap<String, (u64, u64)> =
            statement.query_map([&project.key.key], row).unwrap().map(Result::unwrap).collect();
        let Some(days) = reader.coverage(&project.key, None, jiff::Timestamp::UNIX_EPOCH).unwrap().reach.days else {
            continue;
        };
        let kept = reader.top_domains(&project.key, days, None, true, 10_000).unwrap();
        let kept = kept.into_iter().map(|count| (count.domain, (count.runs, count.citations))).collect();
        assert_eq!(counted, kept, "{case}: domains");
    }
}

/// Cells in one order.
fn sorted(table: CellTable) -> (Vec<(Cell, u32)>, u64) {
    let mut cells: Vec<(Cell, u32)> = table.cells.into_iter().zip(table.gaps).collect();
    cells.sort_by_key(|(cell, _)| (cell.prompt, cell.engine));
    // Sums of fractions end in other bits when they are added up in another order.
    for (cell, _) in &mut cells {
        cell.sentiment_sum = (cell.sentiment_sum * 1e6).round() / 1e6;
    }
    (cells, table.branded_runs)
}
