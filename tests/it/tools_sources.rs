//! What is cited and where rivals win: answers as clients see them, their cost, and every figure counted again.

use crate::support::{
    tokens,
    world::{DEMO, SMALL, Synced, WIDE},
};
use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::{Value, json};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};
use visibility_mcp::{
    demo::world::WorldRun,
    model::{DayRange, Status},
};

const FERNVOLT: &str = "Fernvolt · home batteries";

fn with(arguments: &Value, name: &str, value: impl Into<Value>) -> Value {
    let mut arguments = arguments.clone();
    arguments[name] = value.into();
    arguments
}

/// The rows of a table, each by column.
fn rows(table: &Value) -> Vec<BTreeMap<String, Value>> {
    let columns: Vec<&str> = table["columns"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let row = |row: &Value| {
        let values = row.as_array().unwrap();
        assert_eq!(values.len(), columns.len(), "{table}");
        columns.iter().map(|name| (*name).to_owned()).zip(values.iter().cloned()).collect()
    };
    table["rows"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn golden_answers_about_sources() {
    for (name, tool, arguments) in [
        ("top_citations", "top_citations", json!({ "project": FERNVOLT, "limit": 5 })),
        (
            "top_citations_of_urls",
            "top_citations",
            json!({ "project": FERNVOLT, "by": "url", "owner": "competitor", "period": "7d", "limit": 4 }),
        ),
        ("top_citations_of_all", "top_citations", json!({ "limit": 2 })),
        ("find_gaps", "find_gaps", json!({ "project": FERNVOLT, "limit": 4 })),
        (
            "find_gaps_of_a_competitor",
            "find_gaps",
            json!({ "brand": "wattmere.example", "period": "7d", "engine": "grok", "limit": 3 }),
        ),
    ] {
        for format in ["concise", "detailed"] {
            let arguments = with(&arguments, "response_format", format);
            assert_json_snapshot!(
                format!("{name}_{format}"),
                DEMO.answer(tool, &arguments),
                &format!("{tool} {arguments}")
            );
        }
    }
}

#[test]
fn answers_about_sources_fit() {
    for world in [&DEMO, &SMALL, &WIDE] {
        let project = world.world.project_name(0);
        for (tool, arguments) in [
            ("top_citations", json!({})),
            ("top_citations", json!({ "project": project })),
            ("top_citations", json!({ "by": "url" })),
            ("top_citations", json!({ "by": "url", "project": project })),
            ("find_gaps", json!({})),
            ("find_gaps", json!({ "project": project })),
        ] {
            let cost = tokens::of(&world.answer(tool, &arguments));
            println!("{} prompts: {tool} {arguments}: {cost} tokens", world.world.prompt_count(0));
            assert!(cost <= 2_000, "{tool} {arguments}: {cost} tokens");
        }
        for (tool, more) in [
            ("top_citations", json!({})),
            ("top_citations", json!({ "by": "url" })),
            ("find_gaps", json!({})),
            ("find_gaps", json!({ "kind": "sources" })),
            ("find_gaps", json!({ "kind": "prompts", "brand": world.world.brands(0)[1].name })),
        ] {
            for format in ["concise", "detailed"] {
                let arguments = with(&with(&more, "limit", 100), "response_format", format);
                let arguments = with(&with(&arguments, "period", "90d"), "include_branded", true);
                let cost = tokens::of(&world.answer(tool, &arguments));
                println!("{} prompts: {tool} {arguments}: {cost} tokens", world.world.prompt_count(0));
                assert!(cost <= 20_000, "{tool} {arguments}: {cost} tokens");
            }
        }
    }
}

/// What is asked: of which project and brand, by index, on which days, on which engine, with branded prompts or not.
#[derive(Clone, Copy, Debug)]
struct Scope {
    project: usize,
    brand: usize,
    period: &'static str,
    days: (&'static str, &'static str),
    engine: Option<&'static str>,
    branded: bool,
}

impl Scope {
    fn arguments(&self) -> Value {
        let mut arguments = json!({
            "project": DEMO.world.project_name(self.project),
            "brand": DEMO.world.brands(self.project)[self.brand].name,
            "period": self.period,
            "include_branded": self.branded,
            "limit": 100,
        });
        if let Some(engine) = self.engine {
            arguments["engine"] = engine.into();
        }
        arguments
    }

    fn runs(&self) -> Vec<WorldRun<'static>> {
        let days = DayRange { first: self.days.0.parse().unwrap(), last: self.days.1.parse().unwrap() };
        let prompts = DEMO.world.prompts(self.project);
        let mut runs: Vec<WorldRun<'static>> =
            (0..days.days()).flat_map(|i| DEMO.world.day_runs(self.project, days.first.plus(i))).collect();
        runs.retain(|run| run.status == Status::Finished);
        runs.retain(|run| self.engine.is_none_or(|engine| engine == run.engine_name));
        runs.retain(|run| self.branded || prompts[run.prompt].names.is_empty());
        runs
    }

    fn is_present(run: &WorldRun<'_>, brand: usize) -> bool {
        run.mentions_of(brand) > 0 || run.citations_of(brand).count() > 0
    }

    fn rivals(&self, run: &WorldRun<'_>) -> Vec<usize> {
        let brands = DEMO.world.brands(self.project).len();
        (0..brands).filter(|brand| *brand != self.brand && Self::is_present(run, *brand)).collect()
    }

    fn is_gap(&self, run: &WorldRun<'_>) -> bool {
        !Self::is_present(run, self.brand) && !self.rivals(run).is_empty()
    }

    /// The brand whose registered domain this is: its name, and whose it is beside the brand asked about.
    fn owner(&self, domain: &str) -> (Value, &'static str) {
        let brands = DEMO.world.brands(self.project);
        match brands.iter().position(|brand| site(&format!("https://{}/", brand.domain)) == domain) {
            Some(brand) if brand == self.brand => (brands[brand].name.clone().into(), "own"),
            Some(brand) => (brands[brand].name.clone().into(), "competitor"),
            None => (Value::Null, "other"),
        }
    }
}

fn scopes() -> Vec<Scope> {
    let month =
        Scope { project: 0, brand: 0, period: "30d", days: ("2026-10-22", "2026-11-20"), engine: None, branded: false };
    let week = Scope { period: "7d", days: ("2026-11-14", "2026-11-20"), ..month };
    vec![
        month,
        Scope { project: 1, ..month },
        Scope { branded: true, ..week },
        Scope { engine: Some("grok"), ..month },
        Scope { brand: 1, ..week },
        Scope { project: 1, brand: 2, engine: Some("gemini"), branded: true, ..week },
        Scope { period: "2026-11-21", days: ("2026-11-21", "2026-11-21"), ..month },
    ]
}

/// The answer's URLs, each once.
fn urls(run: &WorldRun<'_>) -> BTreeSet<String> {
    run.citations.iter().map(|citation| citation.url.clone()).collect()
}

/// `site.example` of `https://www.site.example/page`.
fn site(url: &str) -> String {
    let host = url.split("://").nth(1).unwrap().split(['/', '?', '#']).next().unwrap();
    let labels: Vec<&str> = host.split('.').collect();
    labels[labels.len() - 2..].join(".")
}

fn round4(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[track_caller]
fn check_close(value: &Value, expected: f64, case: &str) {
    assert!((value.as_f64().unwrap() - round4(expected)).abs() < 1e-9, "{case}: {value} is not {expected}");
}

/// Every row of a table of one project, over as many pages as it takes.
fn whole(world: &Synced, tool: &str, arguments: &Value, table: &str) -> Vec<BTreeMap<String, Value>> {
    let mut arguments = arguments.clone();
    let mut found = Vec::new();
    loop {
        let answer = world.answer(tool, &arguments);
        for project in answer["projects"].as_array().unwrap() {
            found.extend(project.get(table).map(rows).unwrap_or_default());
        }
        match answer.get("next_cursor") {
            Some(cursor) => arguments["cursor"] = cursor.clone(),
            None => return found,
        }
    }
}

/// Runs that cite it, citations, prompts.
type Cited = (usize, usize, BTreeSet<usize>);

fn cited(runs: &[WorldRun<'_>], name: impl Fn(&str) -> String) -> BTreeMap<String, Cited> {
    let mut found: BTreeMap<String, Cited> = BTreeMap::new();
    for run in runs {
        let names: Vec<String> = urls(run).iter().map(|url| name(url)).collect();
        for name in &names {
            found.entry(name.clone()).or_default().1 += 1;
        }
        for name in names.into_iter().collect::<BTreeSet<_>>() {
            let sum = found.entry(name).or_default();
            sum.0 += 1;
            sum.2.insert(run.prompt);
        }
    }
    found
}

#[test]
fn cited_sources_are_what_a_plain_count_says() {
    for scope in scopes() {
        let runs = scope.runs();
        for by in ["domain", "url"] {
            let case = format!("{scope:?} {by}");
            let arguments = with(&with(&scope.arguments(), "by", by), "response_format", "detailed");
            let found = whole(&DEMO, "top_citations", &arguments, "citations");
            let mut expected: Vec<(String, Cited)> =
                cited(&runs, |url| if by == "url" { url.to_owned() } else { site(url) }).into_iter().collect();
            expected.sort_by_key(|(name, (runs, citations, _))| (Reverse(*runs), Reverse(*citations), name.clone()));
            let order: Vec<&str> = found.iter().map(|row| row[by].as_str().unwrap()).collect();
            assert_eq!(order, expected.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), "{case}");
            for (row, (name, (hits, citations, prompts))) in found.iter().zip(&expected) {
                let (owner, kind) = scope.owner(&if by == "url" { site(name) } else { name.clone() });
                assert_eq!((&row["owner"], &row["kind"]), (&owner, &kind.into()), "{case} {name}");
                assert_eq!((&row["runs"], &row["citations"]), (&json!(hits), &json!(citations)), "{case} {name}");
                assert_eq!(row["prompts"], prompts.len(), "{case} {name}");
                let share = *hits as f64 / runs.len() as f64;
                check_close(&row["consistency"], share, &case);
                check_close(&row["influence"], share * prompts.len() as f64, &case);
                let ends = [&row["low"], &row["consistency"], &row["high"]].map(|value| value.as_f64().unwrap());
                assert!(ends.is_sorted(), "{case} {name}: {ends:?}");
            }
            let first = &DEMO.answer("top_citations", &arguments)["projects"][0];
            assert_eq!((&first["runs"], &first["total"]), (&json!(runs.len()), &json!(expected.len())), "{case}");
            let prompts: BTreeSet<usize> = runs.iter().map(|run| run.prompt).collect();
            assert_eq!(first["prompts"], prompts.len(), "{case}");
            // Whose they are divides them.
            let of =
                |owner: &str| DEMO.answer("top_citations", &with(&arguments, "owner", owner))["projects"][0].clone();
            let parts: u64 =
                ["own", "competitor", "other"].iter().map(|owner| of(owner)["total"].as_u64().unwrap()).sum();
            assert_eq!(parts, expected.len() as u64, "{case}");
            assert!(rows(&of("own")["citations"]).iter().all(|row| row["kind"] == "own"), "{case}");
        }
    }
}

#[test]
fn a_change_is_that_of_the_same_prompts_and_engines() {
    // Every prompt is asked once a day on every engine, so that weights differ little: the plain difference of the two
    // windows is near the paired one, and its sign is the verdict's.
    let month = scopes()[0];
    let before = Scope { days: ("2026-09-22", "2026-10-21"), ..month };
    let (now, then) = (month.runs(), before.runs());
    let (cited_now, cited_then) = (cited(&now, site), cited(&then, site));
    let answer = DEMO.answer("top_citations", &month.arguments());
    assert_eq!(answer["projects"][0]["compared_with"], json!({ "first": "2026-09-22", "last": "2026-10-21" }));
    let table = rows(&answer["projects"][0]["citations"]);
    let mut verdicts = BTreeSet::new();
    for row in &table {
        let name = row["domain"].as_str().unwrap();
        let share =
            |cited: &BTreeMap<String, Cited>, runs: usize| cited.get(name).map_or(0, |c| c.0) as f64 / runs as f64;
        let plain = share(&cited_now, now.len()) - share(&cited_then, then.len());
        let change = row["change"].as_f64().unwrap();
        assert!((plain - change).abs() < 0.01, "{name}: {plain} {change}");
        match row["verdict"].as_str().unwrap() {
            "up" => assert!(change > 0.0, "{name}"),
            "down" => assert!(change < 0.0, "{name}"),
            _ => {}
        }
        verdicts.insert(row["verdict"].as_str().unwrap().to_owned());
    }
    assert!(verdicts.contains("within_noise"), "{verdicts:?}");
    assert_eq!(answer["projects"][0]["tested"], table.iter().filter(|row| row["verdict"] != "too_little_data").count());
}

#[test]
fn gaps_are_what_a_plain_count_says() {
    for scope in scopes() {
        let case = format!("{scope:?}");
        let (runs, arguments) = (scope.runs(), scope.arguments());
        let gaps: Vec<&WorldRun<'_>> = runs.iter().filter(|run| scope.is_gap(run)).collect();
        let first = &DEMO.answer("find_gaps", &arguments)["projects"][0];
        let rate = &first["gap_rate"];
        assert_eq!((&rate["hits"], &rate["runs"]), (&json!(gaps.len()), &json!(runs.len())), "{case}");
        if !runs.is_empty() {
            check_close(&rate["value"], gaps.len() as f64 / runs.len() as f64, &case);
        }

        let prompts = whole(&DEMO, "find_gaps", &with(&arguments, "response_format", "detailed"), "prompts");
        let mut expected: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for run in &runs {
            let sum = expected.entry(run.prompt_text).or_default();
            *sum = (sum.0 + usize::from(scope.is_gap(run)), sum.1 + 1);
        }
        expected.retain(|_, (gaps, _)| *gaps > 0);
        assert_eq!(prompts.len(), expected.len(), "{case}");
        assert_eq!(first["total_prompts"], expected.len(), "{case}");
        assert!(prompts.is_sorted_by_key(|row| (Reverse(row["gap_runs"].as_u64()), row["runs"].as_u64())), "{case}");
        let sum: u64 = prompts.iter().map(|row| row["gap_runs"].as_u64().unwrap()).sum();
        assert_eq!(sum, gaps.len() as u64, "{case}: gaps of prompts are all gaps");
        for row in &prompts {
            let text = row["prompt"].as_str().unwrap();
            let (hits, runs) = expected[text];
            assert_eq!((&row["gap_runs"], &row["runs"]), (&json!(hits), &json!(runs)), "{case} {text}");
            check_close(&row["gap_rate"], hits as f64 / runs as f64, &case);
            let mut rivals: BTreeMap<usize, usize> = BTreeMap::new();
            for run in gaps.iter().filter(|run| run.prompt_text == text) {
                for rival in scope.rivals(run) {
                    *rivals.entry(rival).or_default() += 1;
                }
            }
            let mut most: Vec<(usize, &str)> = rivals
                .iter()
                .map(|(rival, runs)| (*runs, DEMO.world.brands(scope.project)[*rival].name.as_str()))
                .collect();
            most.sort_by_key(|(runs, name)| (Reverse(*runs), *name));
            let most: Vec<&str> = most.iter().take(3).map(|(_, name)| *name).collect();
            assert_eq!(row["rivals"], json!(most), "{case} {text}");
        }

        let sources = whole(&DEMO, "find_gaps", &with(&arguments, "response_format", "detailed"), "sources");
        let all = cited(&runs, site);
        let owned_gaps: Vec<WorldRun<'_>> = gaps.iter().map(|run| (*run).clone()).collect();
        let mut in_gaps: Vec<(String, Cited)> = cited(&owned_gaps, site).into_iter().collect();
        in_gaps.retain(|(name, _)| scope.owner(name).1 != "own");
        in_gaps.sort_by_key(|(name, (hits, ..))| (Reverse(*hits), all[name].0, name.clone()));
        let order: Vec<&str> = sources.iter().map(|row| row["domain"].as_str().unwrap()).collect();
        assert_eq!(order, in_gaps.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), "{case}");
        for (row, (name, (hits, _, prompts))) in sources.iter().zip(&in_gaps) {
            assert_eq!((&row["gap_runs"], &row["runs"]), (&json!(hits), &json!(all[name].0)), "{case} {name}");
            assert_eq!(row["prompts"], prompts.len(), "{case} {name}");
            check_close(&row["gap_share"], *hits as f64 / all[name].0 as f64, &case);
            let there = |run: &&WorldRun<'_>| {
                Scope::is_present(run, scope.brand) && urls(run).iter().any(|url| site(url) == *name)
            };
            assert_eq!(row["brand_runs"], runs.iter().filter(there).count(), "{case} {name}");
        }
    }
}

/// How many runs a list with this filter has.
fn listed(filter: &Value) -> u64 {
    DEMO.answer("list_prompt_runs", &with(filter, "limit", 1))["total"].as_u64().unwrap()
}

#[test]
fn the_runs_behind_sources_and_gaps_can_be_listed() {
    for scope in scopes().into_iter().filter(|scope| scope.period != "30d" || scope.engine.is_some()) {
        let case = format!("{scope:?}");
        let arguments = with(&scope.arguments(), "limit", 5);
        let of = &DEMO.answer("top_citations", &arguments)["projects"][0];
        let filter = &of["runs_filter"];
        assert_eq!(of["runs"], listed(filter), "{case}");
        for row in rows(&of["citations"]) {
            assert_eq!(row["runs"], listed(&with(filter, "domain", row["domain"].clone())), "{case} {row:?}");
        }
        let domain = of["citations"]["rows"][0][0].as_str().unwrap();
        let urls = &DEMO.answer("top_citations", &with(&arguments, "domain", format!("https://shop.{domain}/x")))["projects"]
            [0];
        // Its rows are of one domain, and rates of all runs still.
        assert_eq!((&urls["runs"], &urls["runs_filter"]), (&of["runs"], filter), "{case}");
        for row in rows(&urls["citations"]) {
            assert!(site(row["url"].as_str().unwrap()) == domain, "{case} {row:?}");
            assert_eq!(row["runs"], listed(&with(filter, "url", row["url"].clone())), "{case} {row:?}");
        }

        let of = &DEMO.answer("find_gaps", &arguments)["projects"][0];
        let filter = &of["runs_filter"];
        assert_eq!(of["gap_rate"]["hits"], listed(filter), "{case}");
        for row in rows(&of["prompts"]) {
            assert_eq!(row["gap_runs"], listed(&with(filter, "prompt_id", row["prompt_id"].clone())), "{case} {row:?}");
        }
        for row in rows(&of["sources"]) {
            assert_eq!(row["gap_runs"], listed(&with(filter, "domain", row["domain"].clone())), "{case} {row:?}");
        }
    }
}

#[test]
fn pages_of_ranked_lists_joined_are_the_whole() {
    for (tool, table, more) in [
        ("top_citations", "citations", json!({ "period": "30d" })),
        ("top_citations", "citations", json!({ "period": "7d", "by": "url", "owner": "other" })),
        ("find_gaps", "prompts", json!({ "period": "30d", "include_branded": true })),
        ("find_gaps", "sources", json!({ "period": "7d" })),
        ("find_gaps", "sources", json!({ "kind": "sources", "engine": "grok" })),
    ] {
        let arguments = with(&more, "project", DEMO.world.project_name(0));
        let case = format!("{tool} {table} {arguments}");
        let small = whole(&DEMO, tool, &with(&arguments, "limit", 7), table);
        let large = whole(&DEMO, tool, &with(&arguments, "limit", 100), table);
        assert_eq!(small, large, "{case}: the size of pages changes the list");
        let first = &DEMO.answer(tool, &arguments)["projects"][0];
        let total = if tool == "find_gaps" { format!("total_{table}") } else { "total".to_owned() };
        assert_eq!(first[total.as_str()], small.len(), "{case}");
        let key = if table == "prompts" {
            "prompt_id"
        } else if more["by"] == "url" {
            "url"
        } else {
            "domain"
        };
        let names: BTreeSet<&str> = small.iter().map(|row| row[key].as_str().unwrap()).collect();
        assert_eq!(names.len(), small.len(), "{case}: a row comes twice");
    }
    // Several projects side by side: each list goes on where it was.
    for (tool, table) in [("top_citations", "citations"), ("find_gaps", "sources")] {
        let parts: usize = (0..2)
            .map(|i| whole(&DEMO, tool, &json!({ "project": DEMO.world.project_name(i), "limit": 100 }), table).len())
            .sum();
        assert_eq!(whole(&DEMO, tool, &json!({ "limit": 9 }), table).len(), parts, "{tool}");
    }
}

#[test]
fn one_domain_by_domain_is_one_row() {
    let first = &DEMO.answer("top_citations", &json!({ "project": FERNVOLT }))["projects"][0];
    let row = &first["citations"]["rows"][0];
    let arguments = json!({ "project": FERNVOLT, "by": "domain", "domain": row[0] });
    let one = &DEMO.answer("top_citations", &arguments)["projects"][0];
    assert_eq!(one["total"], 1);
    let values = |row: &Value| row.as_array().unwrap()[..10].to_vec();
    assert_eq!(values(&one["citations"]["rows"][0]), values(row));
    let none = DEMO.answer("top_citations", &with(&arguments, "owner", "own"));
    assert_eq!(none["projects"][0]["total"], 0);
    assert!(none["caveats"].to_string().contains("no finished run in scope cites one"), "{none}");
}

#[test]
fn refusals_about_sources_name_a_next_step() {
    let cursor = DEMO.answer("top_citations", &json!({ "limit": 1 }))["next_cursor"].clone();
    let mut told = String::new();
    for (tool, arguments) in [
        ("top_citations", json!({ "domain": "fernvolt.exampel" })),
        ("top_citations", json!({ "domain": "no host" })),
        ("top_citations", json!({ "by": "page" })),
        ("top_citations", json!({ "owner": "rival" })),
        ("top_citations", json!({ "limit": 101 })),
        ("top_citations", json!({ "cursor": cursor, "by": "url" })),
        ("find_gaps", json!({ "cursor": cursor })),
        ("find_gaps", json!({ "kind": "domains" })),
        ("find_gaps", json!({ "topic": "price" })),
        ("list_prompt_runs", json!({ "domain": "nothing.example" })),
        ("list_prompt_runs", json!({ "gap": "yes" })),
    ] {
        let words = DEMO.call(tool, arguments.clone()).unwrap_err().to_string();
        assert!((1..=3).contains(&words.lines().count()), "{arguments}: {words}");
        let _ = writeln!(told, "{tool} {arguments}\n{words}\n");
    }
    assert_snapshot!("refusals_about_sources", told);
}
