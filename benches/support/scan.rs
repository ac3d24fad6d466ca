//! The floor of a summary: the cells that it needs, read and added up, and nothing else.
//!
//! Twice: as the cache keeps them, packed by day, and as a table with a row for each, which is what packing replaced.

use rusqlite::Connection;
use std::path::Path;
use visibility_mcp::model::DayRange;

/// Numbers of a packed cell of `day_base` and of `day_brand`; see `packed.rs`. No sentiment is in this data.
const BASE: usize = 7;
const BRAND: usize = 13;

const BASE_SQL: &str = "SELECT cells FROM day_base WHERE project_id = 1 AND day BETWEEN ?1 AND ?2";
const BRAND_SQL: &str = "SELECT cells FROM day_brand WHERE brand_id = ?3 AND day BETWEEN ?1 AND ?2";
const BRANDS_SQL: &str =
    "SELECT cells FROM day_brand WHERE brand_id IN (SELECT id FROM brand) AND day BETWEEN ?1 AND ?2";
const SOURCES_SQL: &str = "SELECT cells FROM day_source WHERE project_id = 1 AND day BETWEEN ?1 AND ?2";
const ROWS_SQL: &str = "SELECT a, b, c, d, e, f, g FROM cell WHERE kind = ?1 AND day BETWEEN ?2 AND ?3";

/// Scans one project's own brand.
pub struct Scan {
    cache: Connection,
    rows: Connection,
    own: i64,
}

impl Scan {
    /// Over this cache as it is.
    pub fn packed_only(cache: &Path) -> Self {
        let cache = Connection::open(cache).unwrap();
        let own = cache.query_row("SELECT id FROM brand WHERE kind = 'own'", (), |row| row.get(0)).unwrap();
        Self { cache, rows: Connection::open_in_memory().unwrap(), own }
    }

    /// Over this cache; the cells of the last `days` days also as rows.
    pub fn of(cache: &Path, last_day: i32, days: i32) -> Self {
        let scan = Self::packed_only(cache);
        let rows = &scan.rows;
        rows.execute_batch(
            "CREATE TABLE cell (kind INTEGER, day INTEGER, prompt INTEGER, engine INTEGER, n INTEGER,
                 a INTEGER, b INTEGER, c INTEGER, d INTEGER, e INTEGER, f INTEGER, g INTEGER,
                 PRIMARY KEY (kind, day, prompt, engine, n)) WITHOUT ROWID; BEGIN",
        )
        .unwrap();
        let mut insert =
            scan.rows.prepare("INSERT INTO cell VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)").unwrap();
        for day in last_day - days + 1..=last_day {
            for (kind, sql, width) in [(0, BASE_SQL, BASE), (1, BRAND_SQL, BRAND)] {
                let mut numbers = Vec::new();
                scan.packed(sql, (day, day), |number| numbers.push(i64::try_from(number).unwrap()));
                let mut prompt = 0;
                for (n, cell) in numbers.chunks(width).enumerate() {
                    prompt += cell[0];
                    let at = |i: usize| cell.get(i).copied().unwrap_or(0);
                    let values = (kind, day, prompt, at(1), n, at(2), at(3), at(4), at(5), at(6), at(7), at(8));
                    insert.execute(values).unwrap();
                }
            }
        }
        drop(insert);
        scan.rows.execute_batch("COMMIT").unwrap();
        scan
    }

    /// Every number of a window's packed cells.
    fn packed(&self, sql: &str, (first, last): (i32, i32), mut each: impl FnMut(u64)) {
        let mut statement = self.cache.prepare_cached(sql).unwrap();
        let named: &[i64] = &[first.into(), last.into(), self.own];
        let mut rows = statement.query(rusqlite::params_from_iter(&named[..statement_values(sql)])).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let (mut value, mut shift) = (0u64, 0);
            for byte in &row.get_ref(0).unwrap().as_blob().unwrap()[1..] {
                value |= u64::from(byte & 0x7f) << shift;
                if byte & 0x80 == 0 {
                    each(value);
                    (value, shift) = (0, 0);
                } else {
                    shift += 7;
                }
            }
        }
    }

    /// The sum of all numbers of a window's cells, from the packed days.
    pub fn of_packed(&self, days: DayRange) -> u64 {
        self.sum(&[BASE_SQL, BRAND_SQL], days)
    }

    /// The same of all brands.
    pub fn of_brands(&self, days: DayRange) -> u64 {
        self.sum(&[BASE_SQL, BRANDS_SQL], days)
    }

    /// The same of cited domains by prompt and engine.
    pub fn of_sources(&self, days: DayRange) -> u64 {
        self.sum(&[SOURCES_SQL], days)
    }

    fn sum(&self, statements: &[&str], days: DayRange) -> u64 {
        let mut sum = 0u64;
        for sql in statements {
            self.packed(sql, (days.first.epoch_days(), days.last.epoch_days()), |value| sum = sum.wrapping_add(value));
        }
        sum
    }

    /// The rows that a statement gives, all their values read.
    pub fn of_statement(&self, sql: &str) -> usize {
        let mut statement = self.cache.prepare_cached(sql).unwrap();
        let columns = statement.column_count();
        let (mut rows, mut read) = (statement.query(()).unwrap(), 0);
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                std::hint::black_box(row.get_ref(column).unwrap());
            }
            read += 1;
        }
        read
    }

    /// The same work from a table with a row for each cell.
    pub fn of_rows(&self, days: DayRange) -> i64 {
        let mut sum = 0i64;
        for kind in [0, 1] {
            let mut statement = self.rows.prepare_cached(ROWS_SQL).unwrap();
            let mut rows = statement.query((kind, days.first.epoch_days(), days.last.epoch_days())).unwrap();
            while let Some(row) = rows.next().unwrap() {
                for column in 0..7 {
                    sum += row.get::<_, i64>(column).unwrap();
                }
            }
        }
        sum
    }
}

fn statement_values(sql: &str) -> usize {
    if sql.contains("?3") { 3 } else { 2 }
}
