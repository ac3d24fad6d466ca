//! Figures against the truth: every number of a summary counted again from the world itself, by other code.

use crate::support::world::{DEMO, Synced};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use visibility_mcp::{
    demo::world::WorldRun,
    model::{DayRange, Status},
};

/// What is asked: of which project and brand, by index, on which days, on which engine, with branded prompts or not.
#[derive(Clone, Copy, Debug)]
struct Question {
    project: usize,
    brand: usize,
    period: &'static str,
    days: (&'static str, &'static str),
    engine: Option<&'static str>,
    branded: bool,
}

impl Question {
    fn arguments(&self, world: &Synced) -> Value {
        let mut arguments = json!({
            "project": world.world.project_name(self.project),
            "brand": world.world.brands(self.project)[self.brand].name,
            "period": self.period,
            "include_branded": self.branded,
            "response_format": "detailed",
        });
        if let Some(engine) = self.engine {
            arguments["engine"] = engine.into();
        }
        arguments
    }

    /// The finished runs in question.
    fn runs<'w>(&self, world: &'w Synced) -> Vec<WorldRun<'w>> {
        let days = DayRange { first: self.days.0.parse().unwrap(), last: self.days.1.parse().unwrap() };
        let prompts = world.world.prompts(self.project);
        let mut runs: Vec<WorldRun<'w>> =
            (0..days.days()).flat_map(|i| world.world.day_runs(self.project, days.first.plus(i))).collect();
        runs.retain(|run| run.status == Status::Finished);
        runs.retain(|run| self.engine.is_none_or(|engine| engine == run.engine_name));
        runs.retain(|run| self.branded || prompts[run.prompt].names.is_empty());
        runs
    }
}

/// The answer's URLs, each once, in order.
fn urls<'r>(run: &'r WorldRun<'_>) -> Vec<(&'r str, Option<usize>)> {
    let mut urls: Vec<(&str, Option<usize>)> = Vec::new();
    for citation in &run.citations {
        if urls.iter().all(|(url, _)| *url != citation.url) {
            urls.push((&citation.url, citation.brand));
        }
    }
    urls
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
fn check_rate(rate: &Value, hits: usize, runs: usize, case: &str) {
    assert_eq!((&rate["hits"], &rate["runs"]), (&json!(hits), &json!(runs)), "{case}: {rate}");
    if runs == 0 {
        assert!(rate.get("value").is_none(), "{case}: {rate}");
        return;
    }
    let number = |name: &str| rate[name].as_f64().unwrap_or_else(|| panic!("{case}: no {name} in {rate}"));
    assert!((number("value") - round4(hits as f64 / runs as f64)).abs() < 1e-9, "{case}: {rate}");
    assert!(number("low") <= number("value") && number("value") <= number("high"), "{case}: {rate}");
}

/// The row of a table whose first value this is, by column.
fn row(table: &Value, first: &str) -> BTreeMap<String, Value> {
    let rows = table["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row[0] == first).unwrap_or_else(|| panic!("no {first} in {table}"));
    let columns = table["columns"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
    columns.zip(row.as_array().unwrap().iter().cloned()).collect()
}

/// The questions that all figures are checked for: both projects, own brand and rivals, every kind of period.
fn questions() -> Vec<Question> {
    // The last complete day is the 20th: on the 21st some runs are still open.
    let month = Question {
        project: 0,
        brand: 0,
        period: "30d",
        days: ("2026-10-22", "2026-11-20"),
        engine: None,
        branded: false,
    };
    let week = Question { period: "7d", days: ("2026-11-14", "2026-11-20"), ..month };
    vec![
        month,
        Question { project: 1, ..month },
        Question { branded: true, ..month },
        Question { engine: Some("grok"), ..month },
        Question { brand: 1, ..month },
        week,
        Question { project: 1, brand: 2, engine: Some("gemini"), branded: true, ..week },
        Question { period: "2026-10", days: ("2026-10-01", "2026-10-31"), ..month },
        Question { period: "2026-11-21", days: ("2026-11-21", "2026-11-21"), ..month },
        Question { project: 1, period: "2026-11-01..2026-11-04", days: ("2026-11-01", "2026-11-04"), ..month },
    ]
}

#[test]
fn a_summary_says_what_a_plain_count_says() {
    for question in questions() {
        let case = format!("{question:?}");
        let answer = DEMO.answer("brand_summary", &question.arguments(&DEMO));
        assert_eq!(answer["summaries"].as_array().unwrap().len(), 1, "{case}");
        let summary = &answer["summaries"][0];
        assert_eq!(summary["period"], json!({ "first": question.days.0, "last": question.days.1 }), "{case}");
        check_figures(summary, &question, &question.runs(&DEMO), &case);

        let with_branded = Question { branded: true, ..question }.runs(&DEMO).len();
        assert_eq!(summary["branded_runs_left_out"], with_branded - question.runs(&DEMO).len(), "{case}");
    }
}

fn check_figures(summary: &Value, question: &Question, runs: &[WorldRun<'_>], case: &str) {
    let brand = question.brand;
    let named = runs.iter().filter(|run| run.mentions_of(brand) > 0).count();
    let cited = runs.iter().filter(|run| run.citations_of(brand).count() > 0).count();
    let present = runs.iter().filter(|run| run.mentions_of(brand) > 0 || run.citations_of(brand).count() > 0).count();
    assert_eq!(summary["runs"], runs.len(), "{case}");
    assert_eq!(summary["prompts"], runs.iter().map(|run| run.prompt).collect::<BTreeSet<_>>().len(), "{case}");
    check_rate(&summary["citation_rate"], cited, runs.len(), case);
    // This tracker counts mentions of the own brand alone; those of the others are read off the answers.
    check_rate(&summary["mention_rate"], named, runs.len(), case);
    check_rate(&summary["presence_rate"], present, runs.len(), case);
    // This tracker tells the other spellings of rivals, and none of the own brand's.
    let brands = DEMO.world.brands(question.project);
    let own_names = [brands[0].name.clone(), brands[0].name.to_uppercase()];
    let in_text = |run: &WorldRun<'_>| -> usize {
        let text = run.answer.as_deref().unwrap_or_default();
        own_names.iter().map(|name| text.matches(name.as_str()).count()).sum()
    };
    let mentions = |brand: usize| -> usize {
        let counted = |run: &WorldRun<'_>| if brand == 0 { in_text(run) } else { run.mentions_of(brand) as usize };
        runs.iter().map(counted).sum()
    };
    let all: usize = (0..brands.len()).map(mentions).sum();
    check_rate(&summary["mention_share_of_voice"], mentions(brand), all, case);
    if !runs.is_empty() {
        let basis = if brand == 0 { "upstream" } else { "derived" };
        assert_eq!(summary["basis"]["mentions"], json!([basis]), "{case}");
        // Of one basis for all brands, and said where it is another than the brand's own.
        let share = if brand == 0 { json!(["derived"]) } else { Value::Null };
        assert_eq!(summary["basis"]["mention_share_of_voice"], share, "{case}");
        assert_eq!(summary["basis"]["citations"], json!(["upstream"]), "{case}");
    }

    let own: usize = runs.iter().map(|run| run.citations_of(brand).count()).sum();
    let tracked = runs.iter().flat_map(|run| &run.citations).filter(|citation| citation.brand.is_some()).count();
    check_rate(&summary["citation_share_of_voice"], own, tracked, case);

    let positions: Vec<usize> = runs
        .iter()
        .filter_map(|run| urls(run).iter().position(|(_, owner)| *owner == Some(brand)))
        .map(|place| place + 1)
        .collect();
    let mean = &summary["avg_citation_position"];
    assert_eq!(mean["runs"], positions.len(), "{case}");
    if !positions.is_empty() {
        let expected = round4(positions.iter().sum::<usize>() as f64 / positions.len() as f64);
        assert!((mean["value"].as_f64().unwrap() - expected).abs() < 1e-9, "{case}: {mean} is not {expected}");
    }
    assert_eq!(summary["avg_sentiment"], json!({ "runs": 0, "prompts": 0 }), "{case}");
    check_engines(&summary["by_engine"], question, runs, case);
    check_sources(&summary["top_sources"], runs, case);
    check_gaps(&summary["worst_gaps"], question, runs, case);
}

fn check_engines(table: &Value, question: &Question, runs: &[WorldRun<'_>], case: &str) {
    let engines: BTreeSet<&str> = runs.iter().map(|run| run.engine_name).collect();
    assert_eq!(table["rows"].as_array().unwrap().len(), engines.len(), "{case}");
    for engine in engines {
        let runs: Vec<&WorldRun<'_>> = runs.iter().filter(|run| run.engine_name == engine).collect();
        let row = row(table, engine);
        let cited = runs.iter().filter(|run| run.citations_of(question.brand).count() > 0).count();
        assert_eq!(row["runs"], runs.len(), "{case} {engine}");
        let expected = round4(cited as f64 / runs.len() as f64);
        assert!((row["citation_rate"].as_f64().unwrap() - expected).abs() < 1e-9, "{case} {engine}: {row:?}");
        let named = runs.iter().filter(|run| run.mentions_of(question.brand) > 0).count();
        let expected = round4(named as f64 / runs.len() as f64);
        assert_eq!(row["mention_rate"].as_f64(), Some(expected), "{case} {engine}: {row:?}");
    }
}

fn check_sources(table: &Value, runs: &[WorldRun<'_>], case: &str) {
    let mut sites: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for run in runs {
        let cited: Vec<String> = urls(run).iter().map(|(url, _)| site(url)).collect();
        for site in &cited {
            sites.entry(site.clone()).or_default().1 += 1;
        }
        for site in cited.into_iter().collect::<BTreeSet<_>>() {
            sites.entry(site).or_default().0 += 1;
        }
    }
    let mut expected: Vec<(String, (usize, usize))> = sites.into_iter().collect();
    expected.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    expected.truncate(20);
    let rows = table["rows"].as_array().unwrap();
    let shown: Vec<Value> = rows.iter().map(|row| json!([row[0], row[1], row[3]])).collect();
    let expected: Vec<Value> =
        expected.iter().map(|(site, (runs, citations))| json!([site, runs, citations])).collect();
    assert_eq!(shown, expected, "{case}");
}

fn check_gaps(table: &Value, question: &Question, runs: &[WorldRun<'_>], case: &str) {
    let mut gaps: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for run in runs.iter().filter(|_| question.brand == 0) {
        let absent = run.mentions_of(0) == 0 && run.citations_of(0).count() == 0;
        let brands = DEMO.world.brands(question.project).len();
        let rival = (1..brands).any(|brand| run.mentions_of(brand) > 0 || run.citations_of(brand).count() > 0);
        let sum = gaps.entry(run.prompt_text).or_default();
        sum.0 += usize::from(absent && rival);
        sum.1 += 1;
    }
    gaps.retain(|_, (gaps, _)| *gaps > 0);
    let rows = table["rows"].as_array().unwrap();
    assert_eq!(rows.len(), gaps.len().min(20), "{case}");
    assert!(rows.windows(2).all(|pair| pair[0][2].as_u64() >= pair[1][2].as_u64()), "{case}: worst first");
    for row in rows {
        // Long questions are cut for the list.
        let shown = row[1].as_str().unwrap().trim_end_matches('…');
        let (_, gap) = gaps.iter().find(|(prompt, _)| prompt.starts_with(shown)).unwrap();
        assert_eq!((&row[2], &row[3]), (&json!(gap.0), &json!(gap.1)), "{case}: {shown}");
    }
}

/// Rows of every page of a list.
fn listed(arguments: &Value) -> Vec<Value> {
    let mut arguments = arguments.clone();
    arguments["limit"] = 100.into();
    let mut rows = Vec::new();
    loop {
        let page = DEMO.answer("list_prompt_runs", &arguments);
        rows.extend(page["runs"]["rows"].as_array().unwrap().iter().cloned());
        match page.get("next_cursor") {
            Some(cursor) => arguments["cursor"] = cursor.clone(),
            None => return rows,
        }
    }
}

#[test]
fn the_runs_behind_a_figure_can_be_listed_and_are_as_many() {
    for question in questions() {
        let case = format!("{question:?}");
        let answer = DEMO.answer("brand_summary", &question.arguments(&DEMO));
        let summary = &answer["summaries"][0];
        let filter = &summary["runs_filter"];
        let all = listed(filter);
        assert_eq!(summary["runs"], all.len(), "{case}");
        let with = |name: &str| {
            let mut filter = filter.clone();
            filter[name] = true.into();
            listed(&filter)
        };
        // A list shows what is there; a rate has no hits where not every run was looked at.
        if question.brand == 0 {
            assert_eq!(summary["presence_rate"]["hits"], with("visible").len(), "{case}");
            assert_eq!(summary["mention_rate"]["hits"], with("mentioned").len(), "{case}");
        }
        let cited = with("cited");
        assert_eq!(summary["citation_rate"]["hits"], cited.len(), "{case}");
        let citations: u64 = all.iter().filter_map(|row| row[6].as_u64()).sum();
        assert_eq!(summary["citation_share_of_voice"]["hits"], citations, "{case}");
        let places: Vec<u64> = cited.iter().filter_map(|row| row[8].as_u64()).collect();
        assert_eq!(summary["avg_citation_position"]["runs"], places.len(), "{case}");
    }
}

#[test]
fn a_run_shows_what_its_answer_holds() {
    let newest: Vec<WorldRun<'_>> = DEMO.world.day_runs(0, "2026-11-20".parse().unwrap()).collect();
    let rows = listed(&json!({ "project": DEMO.world.project_name(0), "period": "2026-11-20" }));
    assert_eq!(rows.len(), newest.len());
    for run in newest {
        let row = rows.iter().find(|row| {
            let shown = row[4].as_str().unwrap().trim_end_matches('…');
            row[2] == run.engine_name && run.prompt_text.starts_with(shown)
        });
        let row = row.unwrap_or_else(|| panic!("{} on {} is not listed", run.prompt_text, run.engine_name));
        assert_eq!(row[3], run.status.as_str());
        let finished = run.status == Status::Finished;
        let place = urls(&run).iter().position(|(_, owner)| *owner == Some(0)).map(|place| place + 1);
        let expected = if finished {
            let (mentions, citations) = (run.mentions_of(0), run.citations_of(0).count());
            json!([mentions > 0 || citations > 0, citations, mentions, place])
        } else {
            json!([null, null, null, null])
        };
        assert_eq!(json!([row[5], row[6], row[7], row[8]]), expected, "{}", run.prompt_text);

        let details = DEMO.answer("get_run_details", &json!({ "run_id": row[0], "response_format": "detailed" }));
        assert_eq!(details["prompt"]["text"], run.prompt_text);
        assert_eq!(details.get("failure_reason").and_then(Value::as_str), run.failure);
        let cited: Vec<&str> =
            details["citations"]["rows"].as_array().unwrap().iter().map(|row| row[1].as_str().unwrap()).collect();
        assert_eq!(cited, urls(&run).iter().map(|(url, _)| *url).collect::<Vec<_>>());
        assert_eq!(details.get("answer").is_some(), finished);
    }
}
