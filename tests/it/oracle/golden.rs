//! Figures of golden answers, traced: each count beside a `runs_filter`, and each row of a table, is what
//! `list_prompt_runs` lists for the filter and the row's own name.

use super::{listed, worlds::Cached};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Traces counts, and keeps what was counted once.
pub struct Tracer<'c> {
    cached: &'c Cached,
    name: String,
    counts: BTreeMap<String, u64>,
    /// How many figures were traced.
    pub traced: usize,
}

/// Figures of a brand, and the argument that asks for the runs they count.
const HALVES: [(&str, &str); 3] =
    [("presence_rate", "visible"), ("mention_rate", "mentioned"), ("citation_rate", "cited")];

fn with(filter: &Value, more: &[(&str, Value)]) -> Value {
    let mut filter = filter.clone();
    for (name, value) in more {
        filter[*name] = value.clone();
    }
    filter
}

fn without_gap(filter: &Value) -> Value {
    let mut filter = filter.clone();
    filter.as_object_mut().unwrap().remove("gap");
    filter
}

impl<'c> Tracer<'c> {
    pub fn new(cached: &'c Cached) -> Self {
        Self { cached, name: String::new(), counts: BTreeMap::new(), traced: 0 }
    }

    /// Traces what an answer counted.
    pub fn trace(&mut self, name: &str, answer: &Value) {
        name.clone_into(&mut self.name);
        let answer = answer.as_object().unwrap();
        let parts = ["projects", "summaries"].iter().filter_map(|field| answer.get(*field)?.as_array());
        let parts: Vec<&Map<String, Value>> = parts.flatten().filter_map(Value::as_object).collect();
        for part in &parts {
            if let Some(filter) = part.get("runs_filter") {
                self.project(answer, part, filter);
            }
        }
        // A table of all projects, each row of which says whose it is.
        let filter_of =
            |name: &Value| parts.iter().find(|part| &part["project"] == name).map(|part| &part["runs_filter"]);
        for row in rows(answer.get("prompts")) {
            let filter = row.get("project").map_or_else(|| parts.first().map(|part| &part["runs_filter"]), filter_of);
            self.row("prompts", filter.unwrap(), &row);
        }
    }

    fn project(&mut self, answer: &Map<String, Value>, part: &Map<String, Value>, filter: &Value) {
        if let Some(runs) = part.get("runs").and_then(Value::as_u64) {
            self.is(filter, runs, "runs");
        }
        if let Some(rate) = part.get("gap_rate") {
            self.is(filter, rate["hits"].as_u64().unwrap(), "gap_rate.hits");
            let known = [true, false].map(|is| self.count(&with(&without_gap(filter), &[("visible", json!(is))])));
            assert_eq!(known.iter().sum::<u64>(), rate["runs"].as_u64().unwrap(), "{}: gap_rate.runs", self.name);
        }
        for (figure, argument) in HALVES {
            if let Some(rate) = part.get(figure) {
                self.is(&with(filter, &[(argument, json!(true))]), rate["hits"].as_u64().unwrap(), figure);
                let known = [true, false].map(|is| self.count(&with(filter, &[(argument, json!(is))])));
                assert_eq!(known.iter().sum::<u64>(), rate["runs"].as_u64().unwrap(), "{}: {figure}.runs", self.name);
            }
        }
        for (table, _) in part.iter().filter(|(_, value)| value.get("rows").is_some()) {
            for row in rows(part.get(table)) {
                let mut row = row;
                // A trend's figure, by the name that it has elsewhere. A share is out of mentions and not of runs.
                if let (Some(hits), Some(Value::String(metric))) = (row.remove("hits"), answer.get("metric")) {
                    if metric.ends_with("_rate") {
                        row.insert(format!("{metric}.hits"), hits);
                    } else {
                        row.remove("runs");
                    }
                }
                self.row(table, filter, &row);
            }
        }
    }

    /// One row: the filter and what the row is about give the runs it counts.
    fn row(&mut self, table: &str, filter: &Value, row: &Map<String, Value>) {
        let mut of_row = filter.clone();
        for name in ["engine", "prompt_id", "domain", "url"] {
            if let Some(value) = row.get(name) {
                of_row[name] = value.clone();
            }
        }
        if let Some(Value::String(start)) = row.get("start") {
            let end = row.get("end").and_then(Value::as_str).unwrap_or(start);
            of_row["period"] = format!("{start}..{end}").into();
        }
        if table == "leaderboard" {
            of_row["brand"] = row["brand"].clone();
        }
        let all = without_gap(&of_row);
        let number = |name: &str| row.get(name).and_then(Value::as_u64);
        let visible = with(&all, &[("visible", json!(true))]);
        let traces = [
            ("runs", all.clone(), number("runs")),
            ("gap_runs", with(&all, &[("gap", json!(true))]), number("gap_runs")),
            ("present_runs", visible.clone(), number("present_runs")),
            ("brand_runs", visible, number("brand_runs")),
        ];
        for (what, filter, count) in traces {
            if let Some(count) = count {
                self.is(&filter, count, &format!("{table}, {what}"));
            }
        }
        for (figure, argument) in HALVES {
            let hits = with(&all, &[(argument, json!(true))]);
            if let Some(count) = number(&format!("{figure}.hits")) {
                self.is(&hits, count, &format!("{table}, {figure}"));
            }
            if let Some(value) = row.get(figure).and_then(Value::as_f64) {
                let (hits, others) = (self.count(&hits), self.count(&with(&all, &[(argument, json!(false))])));
                let traced = hits as f64 / (hits + others) as f64;
                assert!(
                    (traced - value).abs() < 6e-5,
                    "{}: {table}, {figure} is {value}, not {traced}: {all}",
                    self.name
                );
                self.traced += 1;
            }
        }
    }

    fn is(&mut self, filter: &Value, count: u64, what: &str) {
        assert_eq!(self.count(filter), count, "{}: {what}: {filter}", self.name);
        self.traced += 1;
    }

    fn count(&mut self, filter: &Value) -> u64 {
        if let Some(count) = self.counts.get(&filter.to_string()) {
            return *count;
        }
        let count = listed(self.cached, filter).len() as u64;
        self.counts.insert(filter.to_string(), count);
        count
    }
}

/// The rows of a table by the names of their columns.
fn rows(table: Option<&Value>) -> Vec<Map<String, Value>> {
    let Some(columns) = table.and_then(|table| table.get("columns")).and_then(Value::as_array) else {
        return Vec::new();
    };
    let name = |column: &Value| column.as_str().unwrap().to_owned();
    let row = |row: &Value| columns.iter().map(name).zip(row.as_array().unwrap().iter().cloned()).collect();
    table.unwrap()["rows"].as_array().unwrap().iter().map(row).collect()
}
