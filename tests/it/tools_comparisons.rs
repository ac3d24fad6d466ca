//! Tools that compare: brands, engines, and days. What they say against a plain count of the world, and what it costs.

use crate::support::{
    lumar::LumarStage,
    sync::{Stage, done, small, sync_into},
    tokens,
    world::{DEMO, SMALL, SOURCE, WIDE, backend_of, call, folder, sync_tracker},
};
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};
use visibility_mcp::{
    clock::Clock,
    demo::{
        lumar::LumarOptions,
        verseodin::{PromptRow, TrackedBrand, Tracker, Universe, WorldTracker},
        world::{Take, World, WorldRun, WorldSize},
    },
    mcp::Backend,
    model::{Day, DayRange, Status},
    store::Store,
};

const FERNVOLT: &str = "Fernvolt · home batteries";

/// Two small projects over 400 days.
static LONG: LazyLock<Backend> = LazyLock::new(|| {
    let size = WorldSize { prompts: vec![7, 6], engines: 2, days: 401, answer_bytes: 200, ..WorldSize::demo() };
    let world = Arc::new(World::new(size, 7, "2026-11-21".parse().unwrap()));
    let store = Store::at(folder("long").join("cache.sqlite"));
    assert!(sync_tracker(Arc::new(WorldTracker::new(world)), &store, &DEMO.clock).is_success());
    backend_of(&store, &DEMO.clock, &[SOURCE])
});

fn with(arguments: &Value, name: &str, value: impl Into<Value>) -> Value {
    let mut arguments = arguments.clone();
    arguments[name] = value.into();
    arguments
}

/// The rows of a table, by column.
fn rows(table: &Value) -> Vec<BTreeMap<&str, &Value>> {
    let columns: Vec<&str> = table["columns"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let rows = table["rows"].as_array().unwrap();
    rows.iter().map(|row| columns.iter().copied().zip(row.as_array().unwrap()).collect()).collect()
}

fn round4(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[track_caller]
fn near(actual: &Value, expected: f64, case: &str) {
    let actual = actual.as_f64().unwrap_or_else(|| panic!("{case}: no number, but {expected} expected"));
    assert!((actual - round4(expected)).abs() < 1.5e-4, "{case}: {actual} is not {expected}");
}

fn part(hits: usize, runs: usize) -> f64 {
    hits as f64 / runs as f64
}

fn range(text: &str) -> DayRange {
    let (first, last) = text.split_once("..").unwrap();
    DayRange { first: first.parse().unwrap(), last: last.parse().unwrap() }
}

/// The finished runs of some days whose prompt names no brand.
fn runs(project: usize, days: DayRange) -> Vec<WorldRun<'static>> {
    let prompts = DEMO.world.prompts(project);
    let of_day = |i| DEMO.world.day_runs(project, days.first.plus(i));
    let all = (0..days.days()).flat_map(of_day);
    all.filter(|run| run.status == Status::Finished && prompts[run.prompt].names.is_empty()).collect()
}

fn is_present(run: &WorldRun<'_>, brand: usize) -> bool {
    run.mentions_of(brand) > 0 || run.citations_of(brand).count() > 0
}

/// How many runs `list_prompt_runs` gives for these arguments.
fn listed(arguments: &Value) -> usize {
    let mut arguments = with(arguments, "limit", 100);
    let mut count = 0;
    loop {
        let page = DEMO.answer("list_prompt_runs", &arguments);
        count += page["runs"]["rows"].as_array().unwrap().len();
        match page.get("next_cursor") {
            Some(cursor) => arguments["cursor"] = cursor.clone(),
            None => return count,
        }
    }
}

#[test]
fn golden_answers() {
    for (name, tool, arguments) in [
        ("compare_brands", "compare_brands", json!({ "project": FERNVOLT })),
        (
            "compare_brands_and_a_rival",
            "compare_brands",
            json!({ "project": FERNVOLT, "rival": "wattmere.example", "limit": 3, "engine": "grok", "period": "7d" }),
        ),
        ("compare_engines", "compare_engines", json!({ "project": FERNVOLT })),
        ("compare_engines_for_a_competitor", "compare_engines", json!({ "brand": "Wattmere", "period": "2026-10" })),
        ("visibility_trend", "visibility_trend", json!({ "project": FERNVOLT })),
        (
            "visibility_trend_by_day_like_for_like",
            "visibility_trend",
            json!({ "project": FERNVOLT, "interval": "day", "period": "5d", "metric": "mention_rate", "like_for_like": true }),
        ),
        (
            "visibility_trend_of_a_share_by_month",
            "visibility_trend",
            json!({ "brand": "Wattmere", "interval": "month", "metric": "citation_share_of_voice" }),
        ),
    ] {
        for format in ["concise", "detailed"] {
            let arguments = with(&arguments, "response_format", format);
            let answer = DEMO.answer(tool, &arguments);
            assert_json_snapshot!(format!("{name}_{format}"), answer, &format!("{tool} {arguments}"));
        }
    }
}

#[test]
fn default_answers_fit_two_thousand_tokens() {
    for world in [&DEMO, &SMALL, &WIDE] {
        let project = world.world.project_name(0);
        for tool in ["compare_brands", "compare_engines", "visibility_trend"] {
            for arguments in [json!({}), json!({ "project": project })] {
                let cost = tokens::of(&world.answer(tool, &arguments));
                println!("{} prompts: {tool} {arguments}: {cost} tokens", world.world.prompt_count(0));
                assert!(cost <= 2_000, "{tool} {arguments}: {cost} tokens");
            }
        }
    }
    for tool in ["compare_brands", "compare_engines", "visibility_trend", "brand_summary"] {
        let cost = tokens::of(&call(&LONG, tool, json!({})).unwrap());
        println!("400 days: {tool}: {cost} tokens");
        assert!(cost <= 2_000, "{tool} on 400 days: {cost} tokens");
    }
}

#[test]
fn no_answer_passes_twenty_thousand_tokens() {
    let check = |tool: &str, arguments: &Value, answer: &Value| {
        let cost = tokens::of(answer);
        println!("{tool} {arguments}: {cost} tokens");
        assert!(cost <= 20_000, "{tool} {arguments}: {cost} tokens");
    };
    for (tool, arguments) in [
        ("compare_brands", json!({ "limit": 100, "include_branded": true })),
        ("compare_brands", json!({ "limit": 100, "rival": "RIVAL" })),
        ("compare_engines", json!({ "include_branded": true })),
        ("visibility_trend", json!({ "interval": "day", "period": "400d" })),
        ("visibility_trend", json!({ "interval": "day", "period": "3660d", "like_for_like": true })),
    ] {
        for format in ["concise", "detailed"] {
            let mut arguments = with(&arguments, "response_format", format);
            for world in [&DEMO, &WIDE] {
                if arguments.get("rival").is_some() {
                    arguments["rival"] = world.world.brands(0)[1].name.clone().into();
                }
                check(tool, &arguments, &world.answer(tool, &arguments));
            }
            if arguments.get("rival").is_none() {
                check(tool, &arguments, &call(&LONG, tool, arguments.clone()).unwrap());
            }
        }
    }
}

#[test]
fn a_leaderboard_says_what_a_plain_count_says() {
    for (project, period) in [(0, "2026-10-22..2026-11-20"), (1, "2026-11-14..2026-11-20")] {
        let (name, brands) = (DEMO.world.project_name(project), DEMO.world.brands(project));
        for us in [0, 2] {
            let case = format!("{name} {period} {}", brands[us].name);
            let arguments = json!({
                "project": name, "brand": brands[us].name, "period": period, "limit": 100, "response_format": "detailed",
            });
            let answer = DEMO.answer("compare_brands", &arguments);
            let compared = &answer["projects"][0];
            let runs = runs(project, range(period));
            assert_eq!((&compared["runs"], &compared["brands_not_shown"]), (&json!(runs.len()), &json!(0)), "{case}");
            assert_eq!(listed(&compared["runs_filter"]), runs.len(), "{case}");

            let board = rows(&compared["leaderboard"]);
            assert_eq!(board.len(), brands.len(), "{case}");
            let presence = |row: &BTreeMap<&str, &Value>| row["presence_rate"].as_f64();
            assert!(board.windows(2).all(|pair| presence(&pair[0]) >= presence(&pair[1])), "{case}: best first");
            for share in ["mention_share_of_voice", "citation_share_of_voice"] {
                let sum: f64 = board.iter().map(|row| row[share].as_f64().unwrap()).sum();
                assert!((sum - 1.0).abs() < 1e-3, "{case}: {share} sums to {sum}");
            }
            for row in &board {
                let brand = brands.iter().position(|brand| *row["brand"] == brand.name).unwrap();
                let count = |is: &dyn Fn(&&WorldRun<'_>) -> bool| runs.iter().filter(is).count();
                let present = count(&|run| is_present(run, brand));
                assert_eq!((row["present_runs"], row["checked_runs"]), (&json!(present), &json!(runs.len())), "{case}");
                near(row["presence_rate"], part(present, runs.len()), &case);
                near(row["mention_rate"], part(count(&|run| run.mentions_of(brand) > 0), runs.len()), &case);
                let cited = count(&|run| run.citations_of(brand).count() > 0);
                near(row["citation_rate"], part(cited, runs.len()), &case);
                let citations = |brand: usize| runs.iter().map(|run| run.citations_of(brand).count()).sum::<usize>();
                let all = (0..brands.len()).map(citations).sum();
                near(row["citation_share_of_voice"], part(citations(brand), all), &case);
            }
            check_duels(&compared["head_to_head"], (project, us), &runs, &case);
        }
    }
}

fn check_duels(table: &Value, (project, us): (usize, usize), runs: &[WorldRun<'_>], case: &str) {
    let brands = DEMO.world.brands(project);
    let duels = rows(table);
    assert_eq!(duels.len(), brands.len() - 1, "{case}");
    let prompts: BTreeSet<usize> = runs.iter().map(|run| run.prompt).collect();
    let with = |brand: usize| -> BTreeSet<usize> {
        runs.iter().filter(|run| is_present(run, brand)).map(|run| run.prompt).collect()
    };
    for row in duels {
        let them = brands.iter().position(|brand| *row["rival"] == brand.name).unwrap();
        let (ours, theirs) = (with(us), with(them));
        let expected = [
            ours.difference(&theirs).count(),
            theirs.difference(&ours).count(),
            ours.intersection(&theirs).count(),
            prompts.len() - ours.union(&theirs).count(),
        ];
        let found = ["only_us", "only_them", "both", "neither"].map(|column| row[column]);
        assert_eq!(json!(found), json!(expected), "{case}: {}", brands[them].name);
        // Both were looked for in the same runs, so the weighted difference is that of the plain rates.
        let count = |brand: usize| runs.iter().filter(|run| is_present(run, brand)).count();
        near(row["difference"], part(count(us), runs.len()) - part(count(them), runs.len()), case);
        let (low, high) = (row["low"].as_f64().unwrap(), row["high"].as_f64().unwrap());
        match row["verdict"].as_str().unwrap() {
            "up" => assert!(low > 0.0, "{case}: {row:?}"),
            "down" => assert!(high < 0.0, "{case}: {row:?}"),
            _ => assert!(low <= high, "{case}: {row:?}"),
        }
    }
}

#[test]
fn the_brand_asked_for_is_shown_wherever_it_stands_and_what_is_not_shown_is_counted() {
    let whole = WIDE.answer("compare_brands", &json!({ "limit": 100 }));
    let board = rows(&whole["projects"][0]["leaderboard"]);
    let (first, last) = (board[0]["brand"], board[board.len() - 1]["brand"]);
    assert_eq!((board.len(), &whole["projects"][0]["brands_not_shown"]), (40, &json!(0)));
    let answer = WIDE.answer("compare_brands", &json!({ "brand": last, "limit": 3 }));
    let shown = &answer["projects"][0];
    let names: Vec<&Value> = rows(&shown["leaderboard"]).iter().map(|row| row["brand"]).collect();
    assert_eq!((names.len(), names[0], names[3]), (4, first, last));
    assert_eq!(shown["brands_not_shown"], 36);
    assert_eq!(rows(&shown["head_to_head"]).len(), 3);
    // Fewer rivals are fewer chances to be wrong, so only the verdict may differ.
    let same = |row: &BTreeMap<&str, &Value>| json!([row["rival"], row["only_us"], row["difference"], row["low"]]);
    let with_last = WIDE.answer("compare_brands", &json!({ "brand": last, "limit": 100 }));
    let all: Vec<Value> = rows(&with_last["projects"][0]["head_to_head"]).iter().map(same).collect();
    assert!(rows(&shown["head_to_head"]).iter().all(|row| all.contains(&same(row))));
}

#[test]
fn prompts_of_a_rival_come_in_pages_that_join() {
    let name = |brand: usize| WIDE.world.brands(0)[brand].name.clone();
    let arguments = json!({ "brand": name(5), "rival": name(1), "response_format": "detailed" });
    let whole = pages("compare_brands", &with(&arguments, "limit", 100), |answer| {
        answer["projects"][0]["only_them_prompts"]["rows"].clone()
    });
    let small = pages("compare_brands", &with(&arguments, "limit", 37), |answer| {
        answer["projects"][0]["only_them_prompts"]["rows"].clone()
    });
    let first = WIDE.answer("compare_brands", &arguments);
    let duel = rows(&first["projects"][0]["head_to_head"]).into_iter().find(|row| *row["rival"] == name(1)).unwrap();
    assert_eq!(duel["only_them"], &json!(whole.len()));
    let ids: BTreeSet<&str> = whole.iter().map(|row| row[0].as_str().unwrap()).collect();
    assert_eq!((ids.len(), &small), (whole.len(), &whole));
    assert!(whole.windows(2).all(|pair| pair[0][2].as_u64() >= pair[1][2].as_u64()), "most runs first");
    assert!(whole.len() > 37, "{}", whole.len());
    // A page is what it says: the rival is seen there, the brand is not.
    let filter =
        |brand: usize| json!({ "prompt_id": whole[0][0], "brand": name(brand), "visible": true, "status": "finished" });
    assert_eq!(WIDE.answer("list_prompt_runs", &filter(1))["total"], whole[0][2]);
    assert_eq!(WIDE.answer("list_prompt_runs", &filter(5))["total"], 0);
}

/// The rows of all pages of a tool's answer on the wide world.
fn pages(tool: &str, arguments: &Value, rows: impl Fn(&Value) -> Value) -> Vec<Value> {
    let mut arguments = arguments.clone();
    let mut joined = Vec::new();
    loop {
        let answer = WIDE.answer(tool, &arguments);
        joined.extend(rows(&answer).as_array().unwrap().clone());
        match answer.get("next_cursor") {
            Some(cursor) => arguments["cursor"] = cursor.clone(),
            None => return joined,
        }
    }
}

#[test]
fn engines_are_what_a_plain_count_on_the_common_prompts_says() {
    for (brand, period) in [(0, "2026-10-22..2026-11-20"), (1, "2026-11-10..2026-11-20")] {
        let case = format!("{brand} {period}");
        let names = DEMO.world.brands(0);
        let arguments = json!({
            "project": FERNVOLT, "brand": names[brand].name, "period": period, "response_format": "detailed",
        });
        let compared = DEMO.answer("compare_engines", &arguments)["projects"][0].take();
        let runs = runs(0, range(period));
        assert_eq!((&compared["runs"], &compared["runs_left_out"]), (&json!(runs.len()), &json!(0)), "{case}");
        let prompts = runs.iter().map(|run| run.prompt).collect::<BTreeSet<_>>().len();
        assert_eq!((&compared["prompts"], &compared["prompts_left_out"]), (&json!(prompts), &json!(0)), "{case}");
        assert_eq!(listed(&compared["runs_filter"]), runs.len(), "{case}");
        let engines = rows(&compared["engines"]);
        assert_eq!(engines.len(), 4, "{case}");
        for row in &engines {
            let runs: Vec<&WorldRun<'_>> = runs.iter().filter(|run| *row["engine"] == run.engine_name).collect();
            let present = runs.iter().filter(|run| is_present(run, brand)).count();
            assert_eq!((row["runs"], row["present_runs"]), (&json!(runs.len()), &json!(present)), "{case}");
            near(row["presence_rate"], part(present, runs.len()), &case);
            let named = runs.iter().filter(|run| run.mentions_of(brand) > 0).count();
            near(row["mention_rate"], part(named, runs.len()), &case);
            let cited = runs.iter().filter(|run| run.citations_of(brand).count() > 0).count();
            near(row["citation_rate"], part(cited, runs.len()), &case);
        }
        let best = engines[0]["engine"];
        let against = rows(&compared["against_best"]);
        assert_eq!(against.len(), 3, "{case}");
        for row in against {
            assert_eq!(row["best"], best, "{case}");
            let sides = [best, row["engine"]].map(|engine| by_prompt(&runs, engine, brand));
            let (mut gap, mut weights) = (0.0, 0.0);
            for (prompt, (hits, n)) in &sides[1] {
                let Some((best_hits, m)) = sides[0].get(prompt) else { continue };
                let weight = part(n * m, n + m);
                gap += weight * (part(*hits, *n) - part(*best_hits, *m));
                weights += weight;
            }
            near(row["difference"], gap / weights, &case);
            assert_eq!(row["prompts"], &json!(prompts), "{case}");
        }
    }
}

/// Runs of an engine with the brand and in all, by prompt.
fn by_prompt(runs: &[WorldRun<'_>], engine: &Value, brand: usize) -> BTreeMap<usize, (usize, usize)> {
    let mut prompts: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for run in runs.iter().filter(|run| *engine == run.engine_name) {
        let sums = prompts.entry(run.prompt).or_default();
        sums.0 += usize::from(is_present(run, brand));
        sums.1 += 1;
    }
    prompts
}

/// A tracker that asks its engines different prompts: eight, six of them, and two.
struct Uneven(Universe);

impl Tracker for Uneven {
    fn universes(&self) -> Vec<Universe> {
        vec![self.0.clone()]
    }

    fn days(&self, _: &str) -> Vec<Day> {
        ["2026-11-19", "2026-11-20"].map(|day| day.parse().unwrap()).to_vec()
    }

    fn rows(&self, _: &str, day: Day, _: Take) -> Vec<PromptRow> {
        let asked = [("chatgpt", 1..=8), ("gemini", 1..=6), ("grok", 7..=8)];
        let row = |engine: &str, number: u32| {
            let question = format!("Which lamp is best, number {number}?");
            let row = PromptRow::pending(&self.0, day, engine, number, &question);
            row.completed(&self.0, if number.is_multiple_of(2) { "Lumo is best." } else { "None is." }, Vec::new())
        };
        asked.into_iter().flat_map(|(engine, numbers)| numbers.map(move |number| row(engine, number))).collect()
    }
}

#[test]
fn engines_that_were_asked_other_prompts_stay_apart_and_are_counted() {
    let brand =
        TrackedBrand { name: "Lumo".to_owned(), website: "https://lumo.example/".to_owned(), tokens: Vec::new() };
    let tracker = Uneven(Universe::new("uneven", brand, Vec::new()));
    let store = Store::at(folder("uneven").join("cache.sqlite"));
    assert!(sync_tracker(Arc::new(tracker), &store, &DEMO.clock).is_success());
    let answer = call(&backend_of(&store, &DEMO.clock, &[SOURCE]), "compare_engines", json!({})).unwrap();
    let compared = &answer["projects"][0];
    // Of eight prompts, six are common to two engines; the third has two of them and none in common with the second.
    assert_eq!((&compared["prompts"], &compared["prompts_left_out"]), (&json!(6), &json!(2)), "{answer}");
    assert_eq!((&compared["runs"], &compared["runs_left_out"]), (&json!(24), &json!(8)), "{answer}");
    let engines: Vec<&Value> = rows(&compared["engines"]).iter().map(|row| row["engine"]).collect();
    assert_eq!((engines, &compared["engines_apart"]), (vec![&json!("chatgpt"), &json!("gemini")], &json!(["grok"])));
    for row in rows(&compared["engines"]) {
        assert_eq!((row["runs"], row["presence_rate"]), (&json!(12), &json!(0.5)));
    }
    let caveats = answer["caveats"].to_string();
    assert!(caveats.contains("1 of the engines"), "{caveats}");
    // The runs behind it are those of the basket, and an engine's are its own.
    let list = |filter: &Value| call(&backend_of(&store, &DEMO.clock, &[SOURCE]), "list_prompt_runs", filter.clone());
    assert_eq!(list(&compared["runs_filter"]).unwrap()["total"], 24);
    assert_eq!(list(&with(&compared["runs_filter"], "engine", "gemini")).unwrap()["total"], 12);
    let refused = list(&with(&compared["runs_filter"], "basket", "engines")).unwrap_err().to_string();
    assert!(refused.contains("basket") && refused.contains("runs_filter"), "{refused}");
}

#[test]
fn a_trend_says_what_a_plain_count_says_and_its_rows_can_be_listed() {
    let period = "2026-10-01..2026-11-21";
    for (metric, interval) in [
        ("presence_rate", "week"),
        ("mention_rate", "month"),
        ("citation_rate", "day"),
        ("citation_share_of_voice", "week"),
    ] {
        let case = format!("{metric} {interval}");
        let arguments = json!({ "project": FERNVOLT, "period": period, "metric": metric, "interval": interval });
        let answer = DEMO.answer("visibility_trend", &arguments);
        let trend = &answer["projects"][0];
        let mut next: Day = "2026-10-01".parse().unwrap();
        let mut all = 0;
        for row in rows(&trend["series"]) {
            let start = row["start"].as_str().unwrap();
            let days = range(&format!("{start}..{}", row.get("end").map_or(start, |end| end.as_str().unwrap())));
            assert_eq!(days.first, next, "{case}");
            next = days.last.plus(1);
            let runs = runs(0, days);
            all += runs.len();
            let count = |is: fn(&WorldRun<'_>) -> bool| runs.iter().filter(|run| is(run)).count();
            let citations = |brand: usize| runs.iter().map(|run| run.citations_of(brand).count()).sum::<usize>();
            let (hits, of) = match metric {
                "presence_rate" => (count(|run| is_present(run, 0)), runs.len()),
                "mention_rate" => (count(|run| run.mentions_of(0) > 0), runs.len()),
                "citation_rate" => (count(|run| run.citations_of(0).count() > 0), runs.len()),
                _ => (citations(0), (0..DEMO.world.brands(0).len()).map(citations).sum()),
            };
            assert_eq!((row["hits"], row["runs"]), (&json!(hits), &json!(of)), "{case} {days}");
            near(row["value"], part(hits, of), &case);
            // 2026-11-20 is the last complete day, a Friday.
            let expected = match interval {
                "day" => days.last <= "2026-11-20".parse().unwrap(),
                "week" => days.days() == 7 && days.first == days.first.monday(),
                _ => start == "2026-10-01",
            };
            assert_eq!(row["whole"], &json!(expected), "{case} {days}");
            if interval != "day" {
                let filter = with(&trend["runs_filter"], "period", days.to_string());
                assert_eq!(listed(&filter), runs.len(), "{case} {days}");
            }
        }
        assert_eq!((next, &trend["runs"]), ("2026-11-22".parse().unwrap(), &json!(all)), "{case}");
        assert_eq!(listed(&trend["runs_filter"]), all, "{case}");
    }
}

#[test]
fn a_trend_moves_as_its_second_half_against_its_first() {
    // A summary's change is that of two windows, here the halves of the trend's.
    let summary = DEMO.answer("brand_summary", &json!({ "project": FERNVOLT, "period": "2026-11-01..2026-11-20" }));
    for metric in ["presence_rate", "mention_rate", "citation_rate"] {
        let arguments = json!({ "project": FERNVOLT, "period": "2026-10-12..2026-11-20", "metric": metric });
        let trend = DEMO.answer("visibility_trend", &arguments);
        assert_eq!(trend["projects"][0]["change"], summary["summaries"][0]["change"][metric], "{metric}");
    }
    // Of a period that begins before the data does, the halves are those of the days with data: 60 of them.
    let summary = DEMO.answer("brand_summary", &json!({ "project": FERNVOLT, "period": "2026-10-22..2026-11-20" }));
    let trend = DEMO.answer("visibility_trend", &json!({ "project": FERNVOLT, "period": "2026-01-01..2026-11-20" }));
    assert_eq!(trend["projects"][0]["change"], summary["summaries"][0]["change"]["presence_rate"]);
    let first = rows(&trend["projects"][0]["series"]).remove(0);
    // A Monday, and the first run is of the day after.
    assert_eq!((first["start"], first["whole"]), (&json!("2026-09-21"), &json!(false)));
    let day = DEMO.answer("visibility_trend", &json!({ "project": FERNVOLT, "period": "2026-11-20" }));
    assert_eq!(day["projects"][0]["change"]["verdict"], "too_little_data");
}

#[test]
fn like_for_like_keeps_what_every_row_has_and_counts_the_rest() {
    let days = range("2026-11-14..2026-11-20");
    let arguments = json!({
        "project": FERNVOLT, "interval": "day", "period": days.to_string(), "like_for_like": true,
    });
    let answer = DEMO.answer("visibility_trend", &arguments);
    let trend = &answer["projects"][0];
    let by_day: Vec<Vec<WorldRun<'_>>> =
        (0..7).map(|i| days.first.plus(i)).map(|day| runs(0, DayRange { first: day, last: day })).collect();
    let cells = |runs: &[WorldRun<'_>]| -> BTreeSet<(usize, usize)> {
        runs.iter().map(|run| (run.prompt, run.engine)).collect()
    };
    let common = by_day.iter().map(|runs| cells(runs)).reduce(|a, b| &a & &b).unwrap();
    let all: BTreeSet<_> = by_day.iter().flat_map(|runs| cells(runs)).collect();
    let mut kept = 0;
    for (row, runs) in rows(&trend["series"]).into_iter().zip(&by_day) {
        let alike: Vec<&WorldRun<'_>> = runs.iter().filter(|run| common.contains(&(run.prompt, run.engine))).collect();
        let present = alike.iter().filter(|run| is_present(run, 0)).count();
        assert_eq!((row["hits"], row["runs"]), (&json!(present), &json!(alike.len())));
        let day = format!("{0}..{0}", row["start"].as_str().unwrap());
        assert_eq!(listed(&with(&trend["runs_filter"], "period", day.as_str())), alike.len(), "{day}");
        kept += alike.len();
    }
    assert!(common.len() < all.len() && !common.is_empty(), "{} of {}", common.len(), all.len());
    assert_eq!(trend["cells_left_out"], all.len() - common.len());
    assert_eq!(trend["runs_left_out"], by_day.iter().map(Vec::len).sum::<usize>() - kept);
    assert_eq!((&trend["runs"], listed(&trend["runs_filter"])), (&json!(kept), kept));
}

#[test]
fn days_of_a_trend_come_in_pages_that_join() {
    for (arguments, projects) in [(json!({}), 2), (json!({ "project": FERNVOLT }), 1)] {
        let mut arguments = with(&with(&arguments, "interval", "day"), "period", "400d");
        let mut joined: Vec<Vec<Value>> = vec![Vec::new(); projects];
        let mut pages = 0;
        loop {
            let answer = call(&LONG, "visibility_trend", arguments.clone()).unwrap();
            pages += 1;
            assert_eq!(answer["projects"].as_array().unwrap().len(), projects);
            for (joined, trend) in joined.iter_mut().zip(answer["projects"].as_array().unwrap()) {
                joined.extend(trend["series"]["rows"].as_array().unwrap().iter().cloned());
            }
            let Some(cursor) = answer.get("next_cursor") else { break };
            assert!(answer["caveats"].to_string().contains("follow next_cursor for the rest"));
            // Another question does not take it.
            let other = with(&with(&arguments, "cursor", cursor.clone()), "metric", "citation_rate");
            assert!(call(&LONG, "visibility_trend", other).unwrap_err().to_string().contains("cursor is not one"));
            arguments["cursor"] = cursor.clone();
        }
        assert_eq!(pages, 1 + projects);
        for joined in joined {
            let days: Vec<&str> = joined.iter().map(|row| row[0].as_str().unwrap()).collect();
            assert!(days.windows(2).all(|pair| pair[0] < pair[1]));
            assert_eq!((days.len(), days[0], days[399]), (400, "2025-10-17", "2026-11-20"));
        }
    }
}

#[test]
fn a_new_model_is_told_beside_the_verdict() {
    let changes = DEMO.world.model_changes();
    assert_eq!(changes.len(), 1, "{changes:?}");
    let change = &changes[0];
    let words = format!(
        "model_change: {} answered as {} from {}, before as {}",
        change.engine, change.to, change.day, change.from
    );
    let told = |tool: &str, arguments: &Value| -> Vec<String> {
        let answer = DEMO.answer(tool, arguments);
        let caveats = answer["caveats"].as_array().unwrap().iter().map(|words| words.as_str().unwrap().to_owned());
        caveats.filter(|words| words.starts_with("model_change")).collect()
    };
    let around = DayRange { first: change.day.plus(-10), last: change.day.plus(9) };
    for tool in ["compare_engines", "visibility_trend", "brand_summary"] {
        assert_eq!(told(tool, &json!({ "period": around.to_string() })), std::slice::from_ref(&words), "{tool}");
    }
    // A summary compares with the window before; the others look at their own days.
    let after = json!({ "period": DayRange { first: change.day.plus(3), last: change.day.plus(12) }.to_string() });
    assert_eq!(told("brand_summary", &after), std::slice::from_ref(&words));
    assert_eq!(told("visibility_trend", &after), Vec::<String>::new());
    assert_eq!(told("compare_engines", &after), Vec::<String>::new());
    let of = |engine: &str| json!({ "period": around.to_string(), "engine": engine });
    assert_eq!(told("visibility_trend", &of(&change.engine)), [words]);
    assert_eq!(told("visibility_trend", &of("grok")), Vec::<String>::new());
}

/// Two trackers of the same brands, whose worlds have these seeds (Lumar's is 7), and what asks both.
async fn two_sources(seed: u64) -> (LumarStage, Stage, Backend) {
    let size = WorldSize { prompts: vec![16], days: 14, ..small() };
    let lumar = LumarStage::with(size.clone(), LumarOptions::unhurried());
    let verseodin = Stage::with(size, seed, lumar.last_day(), |tracker| tracker);
    lumar.settle();
    verseodin.settle();
    let report = sync_into(&lumar.store, &[lumar.upstream(), verseodin.upstream()], lumar.last_day()).await;
    report.sources.into_iter().for_each(|source| drop(done(source)));
    let clock = Clock::fixed(lumar.last_day().plus(1).start() + jiff::SignedDuration::from_hours(20));
    let backend = backend_of(&lumar.store, &clock, &["lumar", "verseodin"]);
    (lumar, verseodin, backend)
}

fn disagreements(answer: &Value) -> Vec<String> {
    let caveats = answer["caveats"].as_array().unwrap().iter().map(|words| words.as_str().unwrap().to_owned());
    caveats.filter(|words| words.starts_with("source_disagreement:")).collect()
}

#[tokio::test]
async fn sources_that_see_the_same_do_not_disagree() {
    let (lumar, _verseodin, backend) = two_sources(7).await;
    let project = lumar.world.project_name(0);
    for tool in ["brand_summary", "compare_engines"] {
        let answer = call(&backend, tool, json!({ "project": project, "period": "14d" })).unwrap();
        assert_eq!(disagreements(&answer), Vec::<String>::new(), "{tool}");
    }
}

#[tokio::test]
async fn sources_that_see_something_else_are_told_apart() {
    let (lumar, _verseodin, backend) = two_sources(22).await;
    let project = lumar.world.project_name(0);
    let arguments = json!({ "project": project, "period": "14d" });
    let told = disagreements(&call(&backend, "brand_summary", arguments.clone()).unwrap());
    assert!((1..=2).contains(&told.len()), "{told:?}");
    assert_eq!(told, disagreements(&call(&backend, "compare_engines", arguments.clone()).unwrap()));
    for words in told {
        println!("{words}");
        // Both values are those that each source gives for the engine alone.
        let rest = words.strip_prefix("source_disagreement: ").unwrap();
        let (figure, rest) = rest.split_once(" of Fernvolt on ").unwrap();
        let (engine, rest) = rest.split_once(" is ").unwrap();
        for source in ["lumar", "verseodin"] {
            let name = format!("{source}/{project}");
            let alone = json!({ "project": name, "period": "14d", "engine": engine });
            let rate = call(&backend, "brand_summary", alone).unwrap()["summaries"][0][figure].take();
            let shown = format!("{} ({} to {}) in {source}", rate["value"], rate["low"], rate["high"]);
            assert!(rest.contains(&shown), "{words}: {shown}");
        }
    }
    // A brand that is asked about in one source alone has nothing to disagree with.
    let one = call(&backend, "brand_summary", json!({ "project": format!("lumar/{project}") })).unwrap();
    assert_eq!(disagreements(&one), Vec::<String>::new());
}

#[test]
fn refusals_name_a_next_step() {
    let board = WIDE.answer(
        "compare_brands",
        &json!({ "brand": WIDE.world.brands(0)[5].name, "rival": WIDE.world.brands(0)[1].name }),
    );
    let cursor = board["next_cursor"].as_str().unwrap().to_owned();
    for (tool, arguments, words) in [
        ("compare_brands", json!({ "rival": "Watmere" }), "no rival \"Watmere\" in the cache; nearest: \"Wattmere\""),
        ("compare_brands", json!({ "project": FERNVOLT, "rival": "Fernvolt" }), "rival is the brand itself"),
        ("compare_brands", json!({ "cursor": cursor }), "cursor is not one that this tool gave"),
        ("compare_brands", json!({ "limit": 0 }), "limit is 0; allowed 1 to 100"),
        ("compare_engines", json!({ "engine": "grok" }), "engine"),
        ("compare_engines", json!({ "topic": "nonsense" }), "no topic \"nonsense\""),
        ("visibility_trend", json!({ "metric": "visibility" }), "allowed: presence_rate, mention_rate, citation_rate"),
        ("visibility_trend", json!({ "interval": "year" }), "allowed: day, week, month"),
        ("visibility_trend", json!({ "cursor": "a~2026-10-01~2026-10-31~1" }), "cursor is not one that this tool gave"),
        ("visibility_trend", json!({ "engine": "copilot" }), "engines here: chatgpt"),
    ] {
        let error = DEMO.call(tool, arguments.clone()).unwrap_err().to_string();
        assert!((1..=3).contains(&error.lines().count()) && error.contains(words), "{tool} {arguments}: {error}");
    }
}

#[test]
fn a_window_without_runs_says_so_and_one_prompt_is_its_own_sample() {
    for tool in ["compare_brands", "compare_engines", "visibility_trend"] {
        let answer = DEMO.answer(tool, &json!({ "project": FERNVOLT, "period": "2020-01" }));
        let caveats = answer["caveats"].to_string();
        assert!(caveats.contains("no finished run in 2020-01-01..2020-01-31; the cache holds"), "{tool}: {caveats}");
        assert_eq!(answer["projects"][0]["runs"], 0, "{tool}");
    }
    let listed = DEMO.answer(
        "list_prompt_runs",
        &json!({
            "project": FERNVOLT, "include_branded": false, "limit": 1, "response_format": "detailed",
        }),
    );
    let prompt = rows(&listed["runs"])[0]["prompt_id"];
    let answer = DEMO.answer("compare_engines", &json!({ "prompt_id": prompt }));
    assert_eq!(answer["projects"].as_array().unwrap().len(), 1);
    let compared = &answer["projects"][0];
    assert_eq!(compared["prompts"], 1);
    assert!(rows(&compared["against_best"]).iter().all(|row| *row["verdict"] == "too_little_data"));
    for row in rows(&compared["engines"]) {
        // Wilson's interval for some thirty runs is never as wide as one prompt is to other prompts.
        let width = row["presence_high"].as_f64().unwrap() - row["presence_low"].as_f64().unwrap();
        assert!(width < 0.4, "{row:?}");
    }
    assert!(answer["caveats"].to_string().contains("this prompt's own runs"));
}
