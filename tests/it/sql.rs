//! `query_sql`: what a statement that a model wrote can do, what it cannot, and what it is told.

use crate::support::{
    tokens,
    world::{DEMO, SMALL, backend_of},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use visibility_mcp::{
    mcp::{Limits, ToolError},
    store::{Error, Limit, SqlProblem, VIEWS},
    tools,
};

fn call(arguments: &Value) -> Result<Value, ToolError> {
    let backend = backend_of(&DEMO.store, &DEMO.clock, &[]);
    let limits = Limits { total: Duration::from_mins(1), ..Limits::default() };
    tools::catalogue_with_sql().call("query_sql", arguments.as_object().unwrap(), &backend, limits)
}

fn ask(sql: &str) -> Value {
    call(&json!({ "sql": sql })).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

#[test]
fn it_is_there_only_where_a_person_asked_for_it() {
    assert!(tools::catalogue().tools().all(|tool| tool.name != "query_sql"));
    assert!(tools::catalogue_with_sql().tools().any(|tool| tool.name == "query_sql"));
    assert_eq!(tools::catalogue_with_sql().problems(), Vec::<String>::new());
}

#[test]
fn every_view_has_the_columns_that_it_promises() {
    let catalogue = tools::catalogue_with_sql();
    let words = catalogue.tools().find(|tool| tool.name == "query_sql").unwrap().description;
    for view in VIEWS {
        let answer = ask(&format!("SELECT * FROM {} LIMIT 3", view.name));
        assert_eq!(answer["rows"]["columns"], json!(view.columns), "{}", view.name);
        assert!(!answer["rows"]["rows"].as_array().unwrap().is_empty(), "{}", view.name);
        let said = format!("{} ({})", view.name, view.columns.join(", "));
        assert!(words.contains(&said), "tools/query_sql.md: say `{said}`");
    }
}

#[test]
fn a_statement_can_do_nothing_but_read_the_views() {
    let before = std::fs::read(SMALL.store.path()).unwrap();
    let reader = SMALL.store.reader().unwrap();
    for sql in [
        "SELECT * FROM main.run",
        "SELECT * FROM run",
        "SELECT raw FROM project",
        "SELECT body FROM answer",
        "SELECT * FROM sqlite_schema",
        "SELECT sql FROM sqlite_temp_schema",
        "SELECT * FROM sqlite_temp_master",
        "SELECT * FROM calendar",
        "SELECT * FROM temp.calendar",
        "SELECT * FROM pragma_table_info('run')",
        "SELECT * FROM pragma_database_list",
        "PRAGMA user_version",
        "PRAGMA query_only = 0",
        "ATTACH ':memory:' AS other",
        "DETACH main",
        "DELETE FROM run",
        "INSERT INTO source (name, upstream) VALUES ('x', 'y')",
        "UPDATE runs SET status = 'finished'",
        "CREATE TEMP TABLE t (x)",
        "DROP VIEW runs",
        "CREATE TEMP VIEW runs AS SELECT 1",
        "VACUUM",
        "VACUUM INTO '/tmp/stolen.sqlite'",
        "BEGIN",
        "SAVEPOINT s",
        "REINDEX",
        "ANALYZE",
        "EXPLAIN SELECT * FROM runs",
        "EXPLAIN QUERY PLAN SELECT * FROM runs",
        "SELECT load_extension('x')",
        "SELECT randomblob(1000000000)",
        "SELECT zeroblob(1000000000)",
        "SELECT printf('%1000000000d', 1)",
        "SELECT format('%1000000000d', 1)",
        "SELECT sqlite_version()",
        "SELECT writefile('/tmp/x', 'y')",
        "SELECT readfile('/etc/passwd')",
        "SELECT fts5(1)",
        "SELECT * FROM answer_fts WHERE answer_fts MATCH 'a'",
        "SELECT * FROM generate_series(1, 10)",
        "WITH runs AS (SELECT 1) SELECT * FROM main.run",
        "SELECT (SELECT name FROM source)",
        "SELECT count(*) FROM answer",
        "SELECT count(*) FROM sqlite_schema",
        "SELECT 1 FROM quarantine",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE run",
        "",
        "-- nothing",
        "SELECT",
    ] {
        match reader.query_sql(sql, 5) {
            Err(SqlProblem::Store(error)) => panic!("{sql}: {error}"),
            Ok(rows) => panic!("{sql}: {rows:?}"),
            Err(_) => {}
        }
        // Whatever was tried, the next statement is as before.
        assert!(reader.query_sql("SELECT count(*) FROM runs", 5).is_ok(), "after {sql}");
    }
    assert_eq!(std::fs::read(SMALL.store.path()).unwrap(), before);
}

#[test]
fn a_statement_reads_what_people_ask_for() {
    let whole =
        DEMO.answer("brand_summary", &json!({ "include_branded": true, "project": DEMO.world.project_name(0) }));
    let summary = &whole["summaries"][0];
    let (first, last) = (summary["period"]["first"].as_str().unwrap(), summary["period"]["last"].as_str().unwrap());
    let project = DEMO.world.project_name(0).replace('\'', "''");
    let answer = ask(&format!(
        "WITH own AS (SELECT run, mentions > 0 AS is_named FROM run_brands WHERE kind = 'own')
         SELECT count(*) AS runs, sum(is_named) AS hits, round(avg(is_named), 4) AS value
         FROM runs JOIN own USING (run)
         WHERE project = '{project}' AND status = 'finished' AND day BETWEEN '{first}' AND '{last}'"
    ));
    let rate = &summary["mention_rate"];
    assert_eq!(answer["rows"]["rows"][0], json!([rate["runs"], rate["hits"], rate["value"]]));
    let places = ask("SELECT engine, count(*) AS runs, row_number() OVER (ORDER BY count(*) DESC, engine) AS place
         FROM runs GROUP BY engine ORDER BY place");
    assert_eq!(places["rows"]["rows"][0][2], 1);
    // A run that is found so can be looked at.
    let run = ask("SELECT run_id FROM runs WHERE status = 'finished' ORDER BY created_at DESC LIMIT 1");
    let details = DEMO.answer("get_run_details", &json!({ "run_id": run["rows"]["rows"][0][0] }));
    assert_eq!(details["status"], "finished");
}

#[test]
fn what_is_too_much_is_cut_and_said() {
    let answer = call(&json!({ "sql": "SELECT run_id FROM runs", "limit": 5 })).unwrap();
    assert_eq!(answer["rows"]["rows"].as_array().unwrap().len(), 5);
    assert!(answer["truncated"].as_bool().unwrap());
    assert!(answer["caveats"].to_string().contains("LIMIT"), "{}", answer["caveats"]);
    let wide =
        call(&json!({ "sql": "SELECT a.*, b.* FROM runs a JOIN runs b ON b.rowid IS NOT a.run_id", "limit": 100 }));
    assert!(wide.is_err() || tokens::of(&wide.unwrap()) <= 20_000);
    let long = call(
        &json!({ "sql": "SELECT group_concat(prompt) AS all_prompts, r.* FROM runs r GROUP BY run_id", "limit": 100 }),
    );
    assert!(tokens::of(&long.unwrap()) <= 20_000);
}

#[test]
fn a_slip_is_named_with_what_is_nearest() {
    for (sql, words) in [
        ("SELECT engin FROM runs", "no column \"engin\"; nearest: engine"),
        ("SELECT r.promt FROM runs r", "nearest: prompt"),
        ("SELECT * FROM run", "no view \"run\"; nearest: run_brands, runs"),
        ("SELECT * FROM citation", "nearest: citations"),
        ("SELECT random() FROM runs", "no function \"random\""),
        ("SELECT 1 FROM runs JOIN run_brands USING (run_id)", "run_brands: run brand"),
        ("SELECT run FROM runs, run_brands", "ambiguous"),
        ("SELEC 1", "not valid SQL"),
        ("DELETE FROM run", "one SELECT"),
        ("SELECT 1; SELECT 2", "one SELECT"),
    ] {
        let error = call(&json!({ "sql": sql })).unwrap_err().to_string();
        assert!(error.contains(words), "{sql}: {error}");
        assert!((1..=3).contains(&error.lines().count()), "{sql}: {error}");
    }
}

#[test]
fn a_statement_without_end_is_stopped() {
    let reader = SMALL.store.reader().unwrap();
    let limit = Limit { deadline: Some(Instant::now() + Duration::from_millis(50)), ..Limit::default() };
    for endless in [
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
        "SELECT count(*) FROM runs a, runs b, runs c, runs d, runs e, runs f",
    ] {
        let done = reader.limited(&limit, |reader| reader.query_sql(endless, 5));
        assert!(matches!(done, Err(SqlProblem::Store(Error::Stopped))), "{endless}: {done:?}");
    }
}
