//! What `tools` asks: each tool as people ask it and as it is dearest, with its budget and its floor.

use super::cache::Cache;
use rusqlite::Connection;
use serde_json::{Map, Value, json};
use std::time::Duration;
use visibility_mcp::{
    clock::Clock,
    mcp::{Backend, Limits, Registry, Setup},
    model::DayRange,
    store::Store,
    tools,
};

/// Arguments of a call.
pub type Arguments = Map<String, Value>;

/// What is read again by hand, and nothing done with it.
#[derive(Clone, Debug)]
pub enum Floor {
    /// The packed cells of the own brand, in so many windows of the same length that end with the one asked for.
    Cells(i32),
    /// Those of every brand.
    Brands,
    /// The packed cited domains of the window, so often, and the own brand's cells of as many windows before.
    Sources(i32),
    /// The rows of a statement.
    Rows(String),
    /// A statement that finds what is listed.
    Find(String),
    /// Nothing comparable.
    None,
}

impl Floor {
    /// As tables name it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cells(1) => "the window's packed cells",
            Self::Cells(_) => "both windows' packed cells",
            Self::Brands => "the packed cells of all brands",
            Self::Sources(1) => "the window's packed sources and cells",
            Self::Sources(_) => "both windows' packed sources and cells",
            Self::Rows(_) => "the bare rows",
            Self::Find(_) => "the bare statement",
            Self::None => "",
        }
    }
}

/// A time that a call may take.
#[derive(Clone, Copy, Debug)]
pub enum Budget {
    /// In microseconds, by this goal.
    Micros(&'static str, f64),
    /// In microseconds for each run of so many windows: what no rollup knows.
    PerRun(i32),
}

/// Does an answer depend on what lies outside its window?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// On the window alone.
    Window,
    /// On the window before too.
    Two,
    /// On all that is cached, so that it cannot be compared between caches.
    All,
}

/// Tools that are not asked about a period.
const WITHOUT_PERIOD: [&str; 5] = ["list_brands", "explain_metric", "get_run_details", "compare_runs", "query_sql"];

/// A call that is measured.
#[derive(Clone, Debug)]
pub struct Ask {
    /// As tables name it.
    pub name: String,
    /// The tool.
    pub tool: &'static str,
    /// Its arguments.
    pub arguments: Arguments,
    /// What it may cost.
    pub budget: Budget,
    /// What it is measured beside.
    pub floor: Floor,
    /// What it depends on.
    pub reach: Reach,
}

/// A cache as a server has it open.
pub struct Served {
    registry: Registry,
    backend: Backend,
}

impl Served {
    /// This cache, two days after its last one.
    pub fn of(cache: &Cache) -> Self {
        let noon = super::rows::last_day().plus(2).start() + jiff::SignedDuration::from_hours(12);
        let backend = Backend::new(Store::at(&cache.path), Clock::fixed(noon), Setup::default());
        Self { registry: tools::catalogue_with_sql(), backend }
    }

    /// What a tool answers.
    pub fn call(&self, tool: &str, arguments: &Arguments) -> Value {
        // What takes too long for a server is to be measured too.
        let limits = Limits { total: Duration::from_mins(10), ..Limits::default() };
        let answer = self.registry.call(tool, arguments, &self.backend, limits);
        answer.unwrap_or_else(|error| panic!("{tool} {arguments:?}: {error:?}"))
    }

    /// The names of all tools.
    pub fn tools(&self) -> Vec<&'static str> {
        self.registry.tools().map(|info| info.name).collect()
    }

    /// A value of the first row of a list.
    fn first(&self, tool: &str, arguments: Value, path: &str, column: &str) -> String {
        let Value::Object(arguments) = arguments else { panic!("no arguments") };
        let answer = self.call(tool, &arguments);
        let table = answer.pointer(path).unwrap_or_else(|| panic!("{tool} has no {path}: {answer}"));
        let columns = table["columns"].as_array().unwrap();
        let at = columns.iter().position(|name| name == column).unwrap();
        table["rows"][0][at].as_str().unwrap_or_else(|| panic!("{tool} {path} {column}: {answer}")).to_owned()
    }
}

/// A word that about this share of a cache's answers hold.
fn word(connection: &Connection, share: f64) -> String {
    connection
        .query_row(
            "SELECT term FROM words CROSS JOIN (SELECT count(*) * ?1 AS wanted FROM answer)
             WHERE length(term) > 3 AND NOT term GLOB '*[^a-z]*'
             ORDER BY max(doc / wanted, wanted / doc), term LIMIT 1",
            [share],
            |row| row.get(0),
        )
        .unwrap()
}

/// Everything that is asked of some days; names and words are found in the cache that holds these days alone.
#[expect(clippy::too_many_lines, reason = "a list, with what is said in it beside")]
pub fn asks(alone: &Cache, days: DayRange) -> Vec<Ask> {
    let served = Served::of(alone);
    let connection = Connection::open(&alone.path).unwrap();
    connection.execute_batch("CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, answer_fts, row)").unwrap();
    let (first, last) = (days.first.epoch_days(), days.last.epoch_days());
    let in_days = format!("r.project_id = 1 AND r.day BETWEEN {first} AND {last} AND r.status_id = 3");
    let period = json!(days.to_string());
    let some = json!({ "period": period, "limit": 1, "include_branded": false });
    let prompt = served.first("list_prompts", some, "/prompts", "prompt_id");
    let runs = json!({ "period": period, "limit": 1, "status": "finished", "prompt_id": prompt, "engine": "chatgpt" });
    let run = served.first("list_prompt_runs", runs, "/runs", "run_id");
    let top = json!({ "period": period, "limit": 1 });
    let domain = served.first("top_citations", top.clone(), "/projects/0/citations", "domain");
    let mut by_url = top;
    by_url["by"] = json!("url");
    let url = served.first("top_citations", by_url, "/projects/0/citations", "url");
    let rival: String = connection
        .query_row("SELECT name FROM brand WHERE kind = 'competitor' ORDER BY id LIMIT 1", (), |row| row.get(0))
        .unwrap();
    let rows_of_runs = Floor::Rows(format!(
        "SELECT r.prompt_id, r.engine_id, r.created_at, f.mentions, f.citations FROM run r INDEXED BY run_by_day
         LEFT JOIN run_brand f ON f.run_id = r.id AND f.brand_id = (SELECT id FROM brand WHERE kind = 'own')
         WHERE {in_days}"
    ));
    let rows_of_urls = Floor::Rows(format!(
        "SELECT r.prompt_id, r.engine_id, c.url_id FROM run r INDEXED BY run_by_day
         CROSS JOIN citation c ON c.run_id = r.id WHERE {in_days}"
    ));
    let rows_of_brands = Floor::Rows(format!(
        "SELECT r.prompt_id, r.engine_id, f.brand_id, f.mentions, f.citations FROM run r INDEXED BY run_by_day
         CROSS JOIN run_brand f ON f.run_id = r.id WHERE {in_days}"
    ));
    let newest = |condition: &str| {
        Floor::Find(format!(
            "SELECT r.public_id, r.created_at, p.text FROM run r INDEXED BY run_by_time
             CROSS JOIN prompt p ON p.id = r.prompt_id WHERE r.project_id = 1 {condition}
             ORDER BY r.created_at DESC, r.id DESC LIMIT 20"
        ))
    };
    let matches =
        |text: &str| Floor::Find(format!("SELECT rowid FROM answer_fts WHERE answer_fts MATCH '{text}' LIMIT 1001"));
    let one_run = Floor::Find(
        "SELECT r.*, a.body FROM run r JOIN answer a ON a.run_id = r.id WHERE r.status_id = 3 LIMIT 1".to_owned(),
    );

    let mut all: Vec<Ask> = Vec::new();
    let mut ask = |tool: &'static str, what: &str, mut arguments: Value, budget, floor: &Floor, reach| {
        if reach != Reach::All && !WITHOUT_PERIOD.contains(&tool) {
            arguments["period"] = period.clone();
        }
        let Value::Object(arguments) = arguments else { panic!("no arguments") };
        let name = if what.is_empty() { tool.to_owned() } else { format!("{tool}, {what}") };
        all.push(Ask { name, tool, arguments, budget, floor: floor.clone(), reach });
    };
    let rollup = Budget::Micros("rollup", 15_000.0);
    let (window, both) = (Floor::Cells(1), Floor::Cells(2));
    let detailed = json!({ "response_format": "detailed" });

    ask("list_sources", "", json!({}), Budget::Micros("lookup", 2_000.0), &Floor::None, Reach::All);
    ask("list_brands", "", json!({}), Budget::Micros("lookup", 2_000.0), &Floor::None, Reach::Window);
    ask("explain_metric", "", json!({}), Budget::Micros("lookup", 2_000.0), &Floor::None, Reach::Window);
    let agreement = json!({ "metric": "mention_rate" });
    ask("explain_metric", "one with its agreement", agreement, Budget::PerRun(1), &rows_of_runs, Reach::All);
    let details = json!({ "run_id": run });
    ask("get_run_details", "", details.clone(), Budget::Micros("Q2", 150.0), &one_run, Reach::Two);
    ask("compare_runs", "", details, Budget::Micros("Q2 twice", 300.0), &one_run, Reach::Two);

    for sort in ["runs", "presence_rate", "citation_rate", "prompt"] {
        ask("list_prompts", &format!("by {sort}"), json!({ "sort": sort }), rollup, &window, Reach::Window);
    }
    ask("list_prompts", "detailed", detailed.clone(), rollup, &window, Reach::Window);
    ask(
        "list_prompts",
        "by flip_rate",
        json!({ "sort": "flip_rate" }),
        Budget::PerRun(1),
        &rows_of_runs,
        Reach::Window,
    );

    ask("brand_summary", "", json!({}), rollup, &both, Reach::Two);
    ask("brand_summary", "detailed", detailed.clone(), rollup, &both, Reach::Two);
    ask("brand_summary", "one engine", json!({ "engine": "chatgpt" }), rollup, &both, Reach::Two);
    ask("brand_summary", "a rival", json!({ "brand": rival }), rollup, &both, Reach::Two);
    ask("compare_brands", "", json!({}), rollup, &Floor::Brands, Reach::Window);
    ask("compare_brands", "a rival's prompts", json!({ "rival": rival }), rollup, &Floor::Brands, Reach::Window);
    ask("compare_brands", "one prompt", json!({ "prompt_id": prompt }), rollup, &Floor::Brands, Reach::Window);
    ask("compare_engines", "", json!({}), rollup, &window, Reach::Window);
    for interval in ["day", "week", "month"] {
        let by = json!({ "interval": interval });
        ask("visibility_trend", &format!("by {interval}"), by, rollup, &window, Reach::Window);
    }
    let alike = json!({ "interval": "day", "like_for_like": true });
    ask("visibility_trend", "by day, like for like", alike, rollup, &window, Reach::Window);
    let of_prompt = json!({ "interval": "day", "prompt_id": prompt });
    ask("visibility_trend", "by day, one prompt", of_prompt, rollup, &window, Reach::Window);

    ask("top_citations", "by domain", json!({}), rollup, &Floor::Sources(2), Reach::Two);
    let others = json!({ "owner": "other" });
    ask("top_citations", "by domain, of neither", others, rollup, &Floor::Sources(2), Reach::Two);
    ask("top_citations", "by url", json!({ "by": "url" }), Budget::PerRun(2), &rows_of_urls, Reach::Two);
    ask("top_citations", "a domain's urls", json!({ "domain": domain }), Budget::PerRun(2), &rows_of_urls, Reach::Two);

    for kind in ["both", "prompts", "sources"] {
        let of_kind = json!({ "kind": kind });
        ask("find_gaps", kind, of_kind, rollup, &Floor::Sources(1), Reach::Window);
        let of_rival = json!({ "kind": kind, "brand": rival });
        ask("find_gaps", &format!("{kind}, of a rival"), of_rival, Budget::PerRun(1), &rows_of_brands, Reach::Window);
    }

    let (lookup, slice) = (Budget::Micros("Q1", 100.0), Budget::PerRun(1));
    ask("list_prompt_runs", "newest", json!({}), lookup, &newest(""), Reach::Window);
    let one_prompt = json!({ "prompt_id": prompt });
    ask("list_prompt_runs", "one prompt", one_prompt.clone(), lookup, &newest(""), Reach::Window);
    for (what, filter) in [
        ("failed", json!({ "status": "failed" })),
        ("visible on one engine", json!({ "visible": true, "engine": "chatgpt" })),
        ("absent", json!({ "visible": false })),
        ("gaps", json!({ "gap": true })),
        ("gaps of a rival", json!({ "gap": true, "brand": rival })),
        ("citing a domain", json!({ "domain": domain })),
        ("citing a url", json!({ "url": url })),
        ("by total_citations", json!({ "sort": "total_citations" })),
        ("by best_position, asc", json!({ "sort": "best_position", "order": "asc" })),
    ] {
        ask("list_prompt_runs", what, filter, slice, &rows_of_runs, Reach::Window);
    }

    let words = [0.1, 0.01, 0.001].map(|share| word(&connection, share));
    for (share, word) in ["1 of 10", "1 of 100", "1 of 1,000"].iter().zip(&words) {
        let search = Budget::Micros("Q7", 2_000.0);
        let text = json!({ "text": word });
        let all_days = format!("a word of {share}, all days");
        ask("search_answers", &all_days, text.clone(), search, &matches(word), Reach::All);
        ask("search_answers", &format!("a word of {share}"), text.clone(), search, &matches(word), Reach::Window);
        let budget = Budget::Micros("Q7", 25_000.0);
        ask("list_prompt_runs", &format!("a word of {share}"), text, budget, &matches(word), Reach::Window);
    }
    let two = format!("{} {}", words[0], words[1]);
    let text = json!({ "text": two });
    ask("search_answers", "two words", text, Budget::Micros("Q7", 2_000.0), &matches(&two), Reach::Window);

    let within = format!("day BETWEEN '{}' AND '{}'", days.first, days.last);
    for (what, sql, rows) in [
        (
            "runs by day and engine",
            "SELECT day, engine, count(*), sum(status = 'finished') FROM runs WHERE DAYS GROUP BY day, engine
             ORDER BY 1, 2",
            &rows_of_runs,
        ),
        (
            "the own brand by day",
            "SELECT day, avg(mentions > 0), avg(citations > 0) FROM runs JOIN run_brands USING (run)
             WHERE kind = 'own' AND DAYS GROUP BY day ORDER BY 1",
            &rows_of_runs,
        ),
        (
            "domains by citations",
            "SELECT domain, count(*) FROM runs JOIN citations USING (run) WHERE DAYS GROUP BY 1
             ORDER BY 2 DESC, 1 LIMIT 20",
            &rows_of_urls,
        ),
    ] {
        let sql = sql.replace("DAYS", &within);
        ask("query_sql", what, json!({ "sql": sql }), slice, rows, Reach::Window);
    }
    all
}
