//! SQL that somebody else wrote: one statement that reads documented views, on a connection that can do nothing else.
//!
//! The connection is read-only; an authoriser lets a statement read the views and call harmless functions; lengths are
//! bounded; and the limit of the reader that it belongs to stops it.

mod views;

pub use views::{VIEWS, View};

use super::{Error, Limit, Reader, open};
use crate::model::{PromptId, RunId};
use rusqlite::{
    Connection, ErrorCode, Statement,
    functions::FunctionFlags,
    hooks::{AuthAction, AuthContext, Authorization},
    limits::Limit as Bound,
    types::ValueRef,
};
use std::path::Path;

// Bytes of the longest text or row that a statement may make, and of the statement itself.
const TEXT_BYTES: i32 = 1 << 20;
const SQL_BYTES: i32 = 20_000;

/// What may be called. Whatever makes files, threads, or more text than was there is not among them.
const FUNCTIONS: &str = "\
    abs avg ceil ceiling coalesce concat concat_ws count cume_dist date datetime dense_rank exp \
    first_value floor glob group_concat ifnull iif instr julianday lag last_value lead length like likelihood ln \
    log lower ltrim max min mod nth_value ntile nullif octet_length percent_rank pow power prompt_id \
    rank replace round row_number rtrim run_id sign sqrt strftime string_agg substr substring sum time \
    timediff total trim typeof unicode unixepoch upper";

/// The tables that the views read.
const TABLES: &str = "\
    brand calendar citation domain engine model project prompt run run_brand scope_brand source status url";

/// The rows of a statement.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SqlRows {
    /// Names of the columns, as the statement has them.
    pub columns: Vec<String>,
    /// The first rows.
    pub rows: Vec<Vec<SqlValue>>,
    /// There are more.
    pub more: bool,
}

/// A value of a row.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "they are SQLite's own kinds")]
pub enum SqlValue {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
}

/// Why a statement has no rows. The names in it are those of the statement.
#[derive(Debug)]
pub enum SqlProblem {
    /// It is empty, several, or explains another.
    NotOneQuery,
    /// No view has this column.
    NoColumn(String),
    /// This is not a view.
    NoView(String),
    /// It may not call this.
    NoFunction(String),
    /// It does more than read the views.
    Forbidden,
    /// Not all projects are shown, and views know no projects.
    NotAllShown,
    /// It is not SQL, or asks for what cannot be; in SQLite's words.
    Wrong(String),
    /// The cache itself cannot be read, or the run must end.
    Store(Error),
}

impl From<Error> for SqlProblem {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl Reader {
    /// The first `most` rows of a statement that somebody else wrote. Only for those who see every project.
    ///
    /// # Errors
    /// [`SqlProblem`]: what is wrong with the statement, or that the cache cannot be read.
    pub fn query_sql(&self, sql: &str, most: usize) -> Result<SqlRows, SqlProblem> {
        if self.shown_only().is_some() {
            return Err(SqlProblem::NotAllShown);
        }
        let path = self.connection.path().map(Path::new).ok_or(Error::Missing)?;
        let connection = guarded(path, self.limit())?;
        let mut statement = connection.prepare(sql).map_err(problem)?;
        if statement.is_explain() != 0 || statement.column_count() == 0 || !statement.readonly() {
            return Err(SqlProblem::NotOneQuery);
        }
        rows(&mut statement, most).map_err(problem)
    }
}

/// A connection on which a statement can read the views, and nothing else can be done.
fn guarded(path: &Path, limit: Option<Limit>) -> Result<Connection, Error> {
    let connection = open::connect_reader(path)?;
    // What is sorted may be large, and belongs on the disk then.
    connection.pragma_update(None, "temp_store", "FILE")?;
    connection.pragma_update(None, "query_only", false)?;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("run_id", 1, flags, |cx| Ok(RunId::from_i64(cx.get(0)?).to_string()))?;
    connection.create_scalar_function("prompt_id", 1, flags, |cx| Ok(PromptId::from_i64(cx.get(0)?).to_string()))?;
    // The days are those of the state that the statement reads.
    connection.execute_batch("BEGIN")?;
    connection.execute_batch(views::CALENDAR)?;
    for view in VIEWS {
        connection.execute_batch(&format!("CREATE TEMP VIEW {} AS {}", view.name, view.sql))?;
    }
    connection.pragma_update(None, "query_only", true)?;
    for (bound, value) in [
        (Bound::SQLITE_LIMIT_LENGTH, TEXT_BYTES),
        (Bound::SQLITE_LIMIT_SQL_LENGTH, SQL_BYTES),
        (Bound::SQLITE_LIMIT_ATTACHED, 0),
        (Bound::SQLITE_LIMIT_WORKER_THREADS, 0),
        (Bound::SQLITE_LIMIT_EXPR_DEPTH, 100),
        (Bound::SQLITE_LIMIT_COMPOUND_SELECT, 50),
        (Bound::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200),
    ] {
        connection.set_limit(bound, value)?;
    }
    connection.progress_handler(1_000, limit.map(|limit| move || limit.is_over()))?;
    connection.authorizer(Some(allow))?;
    Ok(connection)
}

fn allow(context: AuthContext<'_>) -> Authorization {
    let is_view = |name: &str| VIEWS.iter().any(|view| view.name.eq_ignore_ascii_case(name));
    let allowed = match context.action {
        AuthAction::Select | AuthAction::Recursive => true,
        // What a statement names itself is a view, and a view reads tables. A table of which no column is read, as in
        // counting a view's rows, is not said to be read by the view: so much, the number of its rows, anybody may know.
        AuthAction::Read { table_name, column_name } => {
            table_name.is_empty()
                || is_view(table_name)
                || context.accessor.is_some_and(is_view)
                || column_name.is_empty() && is_one_of(TABLES, table_name)
        }
        AuthAction::Function { function_name } => is_one_of(FUNCTIONS, function_name),
        _ => false,
    };
    if allowed { Authorization::Allow } else { Authorization::Deny }
}

/// Is the name one of these words, in whatever letter case?
fn is_one_of(words: &str, name: &str) -> bool {
    words.split(' ').any(|word| word.eq_ignore_ascii_case(name))
}

fn rows(statement: &mut Statement<'_>, most: usize) -> rusqlite::Result<SqlRows> {
    let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let mut found = SqlRows { columns, ..SqlRows::default() };
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        if found.rows.len() == most {
            found.more = true;
            break;
        }
        let values = (0..found.columns.len()).map(|at| {
            Ok(match row.get_ref(at)? {
                ValueRef::Integer(value) => SqlValue::Integer(value),
                ValueRef::Real(value) => SqlValue::Real(value),
                ValueRef::Text(text) => SqlValue::Text(String::from_utf8_lossy(text).into_owned()),
                // No view has any.
                ValueRef::Null | ValueRef::Blob(_) => SqlValue::Null,
            })
        });
        found.rows.push(values.collect::<rusqlite::Result<_>>()?);
    }
    Ok(found)
}

/// What SQLite's error means to who wrote the statement.
fn problem(error: rusqlite::Error) -> SqlProblem {
    let words = match &error {
        rusqlite::Error::MultipleStatement => return SqlProblem::NotOneQuery,
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        rusqlite::Error::SqliteFailure(_, Some(words)) => words.clone(),
        _ => error.to_string(),
    };
    let code = error.sqlite_error_code();
    let after = |head: &str| words.strip_prefix(head).map(|name| name.trim().to_owned());
    // `access to TABLE.COLUMN is prohibited`
    let first = |rest: String| rest.split(['.', ' ']).next().unwrap_or_default().to_owned();
    if let Some(name) = after("no such column: ") {
        SqlProblem::NoColumn(name)
    } else if let Some(name) = after("no such table: ").or_else(|| after("access to ").map(first)) {
        SqlProblem::NoView(name)
    } else if let Some(name) = after("no such function: ").or_else(|| after("not authorized to use function: ")) {
        SqlProblem::NoFunction(name)
    } else if code == Some(ErrorCode::AuthorizationForStatementDenied) {
        SqlProblem::Forbidden
    } else if matches!(code, Some(ErrorCode::Unknown | ErrorCode::TooBig | ErrorCode::TypeMismatch) | None) {
        SqlProblem::Wrong(words)
    } else {
        SqlProblem::Store(Error::from(error))
    }
}
