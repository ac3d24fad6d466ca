//! `query_sql`: one SELECT over the documented views, for servers that were started with it.

use super::support::{any_rows, read};
use crate::{
    mcp::{
        Lane, Tool, ToolCx, ToolError, nearest,
        params::{Limit, ResponseFormat},
        quote::{QuotedFields, QuotedLine, cost, line},
    },
    store::{SqlProblem, SqlRows, SqlValue, VIEWS},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

// Characters of English that the rows of an answer may cost; as many a value at most.
const PAGE_COST: usize = 40_000;
// The same where neither more rows nor longer ones were asked for. Ids and instants are dearer than English, and twenty
// rows of the widest view would not fit.
const PLAIN_COST: usize = 4_000;
const CONCISE_CHARS: usize = 200;
const DETAILED_CHARS: usize = 2_000;

/// The tool.
pub struct QuerySql;

/// Its arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// One SELECT over the views.
    #[schemars(length(min = 1, max = 20_000))]
    sql: String,
    #[serde(default)]
    limit: Option<Limit>,
    #[serde(default)]
    response_format: ResponseFormat,
}

/// Its answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    quoted_fields: QuotedFields,
    rows: Rows,
    /// There are more rows than these
    truncated: bool,
    caveats: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct Rows {
    columns: Vec<QuotedLine>,
    #[schemars(schema_with = "any_rows")]
    rows: Vec<Vec<Value>>,
}

impl Tool for QuerySql {
    const NAME: &'static str = "query_sql";
    const TITLE: &'static str = "Query SQL";
    const PAGE: &'static str = include_str!("query_sql.md");
    const LANE: Lane = Lane::Slow;

    type Params = Params;
    type Answer = Answer;

    fn call(cx: &ToolCx<'_>, params: Params) -> Result<Answer, ToolError> {
        let chars = params.sql.chars().count();
        if !(1..=20_000).contains(&chars) {
            return Err(ToolError::invalid(format!("sql has {chars} characters; allowed 1 to 20000"), ""));
        }
        let found = read(cx, |reader| Ok(reader.query_sql(&params.sql, params.limit.unwrap_or_default().get())))?;
        found.map(|rows| answer(rows, &params)).map_err(refused)
    }
}

fn answer(found: SqlRows, params: &Params) -> Answer {
    let detailed = params.response_format.is_detailed();
    let chars = if detailed { DETAILED_CHARS } else { CONCISE_CHARS };
    let page = if detailed || params.limit.is_some() { PAGE_COST } else { PLAIN_COST };
    let value = |value: SqlValue| match value {
        SqlValue::Null => Value::Null,
        SqlValue::Integer(number) => number.into(),
        // Infinity is no JSON.
        SqlValue::Real(number) => serde_json::Number::from_f64(number).map_or(Value::Null, Value::Number),
        SqlValue::Text(text) => line(&text, chars).into(),
    };
    let mut rows: Vec<Vec<Value>> = Vec::new();
    let (mut spent, mut more) = (0, found.more);
    for row in found.rows {
        let row: Vec<Value> = row.into_iter().map(value).collect();
        spent += row.iter().map(|value| cost(&value.to_string())).sum::<usize>();
        if spent > page && !rows.is_empty() {
            more = true;
            break;
        }
        rows.push(row);
    }
    let caveats = if more {
        vec![format!(
            "{} rows are shown and there are more: narrow the statement, {}or page with LIMIT and OFFSET",
            rows.len(),
            if page == PLAIN_COST { "give `limit`, " } else { "" },
        )]
    } else {
        Vec::new()
    };
    let columns = found.columns.iter().map(|name| QuotedLine::new(name, 80)).collect();
    Answer { quoted_fields: QuotedFields(&["columns", "rows"]), rows: Rows { columns, rows }, truncated: more, caveats }
}

/// What to tell whoever wrote the statement. Their own words are repeated cleaned and short.
fn refused(problem: SqlProblem) -> ToolError {
    let shown = |name: &str| format!("{:?}", line(name, 60));
    let views: Vec<&str> = VIEWS.iter().map(|view| view.name).collect();
    let near = |name: &str, names: &mut dyn Iterator<Item = &'static str>| {
        let bare = name.rsplit('.').next().unwrap_or(name).trim_matches('"');
        match nearest(bare, names, 3).as_slice() {
            [] => String::new(),
            found => format!("; nearest: {}", found.join(", ")),
        }
    };
    match problem {
        SqlProblem::NoColumn(name) => {
            let near = near(&name, &mut VIEWS.iter().flat_map(|view| view.columns.iter().copied()));
            ToolError::invalid(format!("no column {}{near}", shown(&name)), columns())
        }
        SqlProblem::NoView(name) => {
            let near = near(&name, &mut views.iter().copied());
            ToolError::invalid(format!("no view {}{near}", shown(&name)), format!("views: {}", views.join(", ")))
        }
        SqlProblem::NoFunction(name) => ToolError::invalid(
            format!("no function {} here", shown(&name)),
            "use count, sum, avg, min, max, round, coalesce, iif, substr, date, strftime, group_concat or a window function",
        ),
        SqlProblem::NotOneQuery | SqlProblem::Forbidden => ToolError::invalid(
            "sql must be one SELECT that reads the views and does nothing else",
            format!("views: {}", views.join(", ")),
        ),
        SqlProblem::NotAllShown => ToolError::Unavailable {
            what: "SQL is for those who may see every project".to_owned(),
            next: "ask the other tools, which show the projects that are open to you".to_owned(),
        },
        SqlProblem::Wrong(words) => ToolError::invalid(
            format!("not valid SQL: {}", line(&words, 120)),
            // One that is ambiguous, or in one side of a join alone.
            if words.contains("column") { columns() } else { "the dialect is SQLite's; write one SELECT".to_owned() },
        ),
        SqlProblem::Store(error) => error.into(),
    }
}

/// The columns of each view, in one line.
fn columns() -> String {
    let of = |view: &crate::store::View| format!("{}: {}", view.name, view.columns.join(" "));
    VIEWS.iter().map(of).collect::<Vec<_>>().join("; ")
}
