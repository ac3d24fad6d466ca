//! Brands read off answers, through the doors: beside an upstream that counts some of them, in place of one that counts
//! none, and again when the configuration has changed.

use crate::{
    support::{
        lumar::LumarStage,
        lunary::{LunaryStage, configured},
        secrets::Watched as _,
        sync::{Stage, done, options, small},
        world::{backend_of, call},
    },
    sync::picture::{assert_same, assert_sound, picture},
};
use serde_json::{Value, json};
use std::{process::Output, sync::Arc};
use tokio_util::sync::CancellationToken;
use visibility_mcp::{
    clock::Clock,
    demo::world::{Take, World, WorldRun, WorldSize},
    mcp::Backend,
    model::{Basis, Brand, Day, Status},
    sync::{AddedBrands, RedetectProgress, SyncOptions, redetect},
};

const PERIOD: &str = "2026-11-17..2026-11-20";

fn evening(last_day: Day) -> Clock {
    Clock::fixed(last_day.plus(1).start() + jiff::SignedDuration::from_hours(20))
}

fn summary(backend: &Backend, project: &str, brand: &str) -> Value {
    let arguments = json!({ "project": project, "brand": brand, "period": PERIOD, "include_branded": true });
    call(backend, "brand_summary", arguments).unwrap()["summaries"][0].take()
}

/// The finished runs of a project of the world, when all have ended.
fn finished(world: &World, project: usize) -> Vec<WorldRun<'_>> {
    let take = Take { number: 0, settled: true };
    let mut runs = Vec::new();
    for i in 0..world.days().days() {
        for prompt in 0..world.prompt_count(project) {
            let day = world.days().first.plus(i);
            let engines = 0..world.engine_count();
            runs.extend(engines.filter_map(|engine| world.run_take(project, day, prompt, engine, take)));
        }
    }
    runs.retain(|run| run.status == Status::Finished);
    runs
}

#[tokio::test]
async fn rivals_are_read_off_the_answers_where_the_tracker_counts_its_own_brand_alone() {
    let stage = Stage::of(WorldSize { prompts: vec![6], ..small() });
    stage.settle();
    // The tracker tells names alone; second spellings are added by the configuration.
    let brands = Arc::new(AddedBrands::from([("verseodin".into(), configured(stage.world.brands(0)))]));
    let options = SyncOptions { brands, ..options(stage.last_day()) };
    let report = visibility_mcp::sync::sync(&[stage.upstream()], &stage.store, options).await.unwrap();
    assert!(report.is_success(), "{report:?}");
    assert_sound("rivals", &stage.store);
    let backend = backend_of(&stage.store, &evening(stage.last_day()), &["verseodin"]);
    let name = stage.world.project_name(0);
    let runs = finished(&stage.world, 0);
    let all: u32 = runs.iter().flat_map(|run| &run.mentions).map(|mention| mention.count).sum();
    for (place, brand) in stage.world.brands(0).iter().enumerate() {
        let found = summary(&backend, name, &brand.name);
        let case = format!("{}: {found}", brand.name);
        let basis = if brand.own { "upstream" } else { "derived" };
        assert_eq!(found["basis"]["mentions"], json!([basis]), "{case}");
        // Of the text for all, which is said where it is not the basis of the brand's own mentions.
        let share = if brand.own { json!(["derived"]) } else { Value::Null };
        assert_eq!(found["basis"]["mention_share_of_voice"], share, "{case}");
        let named = runs.iter().filter(|run| run.mentions_of(place) > 0).count();
        assert_eq!(found["mention_rate"]["hits"], named, "{case}");
        assert_eq!(found["mention_rate"]["runs"], runs.len(), "{case}");
        let voice = &found["mention_share_of_voice"];
        let own: u32 = runs.iter().map(|run| run.mentions_of(place)).sum();
        assert!(own > 0);
        assert_eq!((&voice["hits"], &voice["runs"]), (&json!(own), &json!(all)), "{case}");
    }
}

#[tokio::test]
async fn how_far_text_and_tracker_agree_is_shown_as_a_count_over_the_runs_has_it() {
    let stage = Stage::small();
    stage.settle();
    stage.sync_all().await;
    let backend = backend_of(&stage.store, &evening(stage.last_day()), &["verseodin"]);
    let listed = call(&backend, "list_sources", json!({ "response_format": "detailed" })).unwrap();
    let projects = listed["sources"][0]["projects"].as_array().unwrap();
    assert_eq!(projects.len(), 2);
    let reader = stage.store.reader().unwrap();
    for place in 0..2 {
        let name = stage.world.project_name(place);
        let own = &stage.world.brands(place)[0];
        let project = projects.iter().find(|project| project["project"] == name).unwrap();
        let (table, complete) = (&project["agreement"], project["last_complete_day"].as_str().unwrap());
        assert_eq!(table["columns"], json!(["brand", "fact", "runs", "agreement", "upstream_only", "derived_only"]));
        let row = |fact: &str| {
            let rows = table["rows"].as_array().unwrap();
            rows.iter()
                .find(|row| row[0] == own.name && row[1] == fact)
                .unwrap_or_else(|| panic!("{fact}: {table}"))
                .clone()
        };
        // Counted again from the runs, by other code.
        let (mut runs, mut upstream_only, mut derived_only) = (0_u64, 0_u64, 0_u64);
        for run in crate::sync::picture::listed(&reader, &stage.project(place)) {
            if run.row.status != Status::Finished || run.row.day.to_string().as_str() > complete {
                continue;
            }
            runs += 1;
            let fact = run.facts.iter().find(|fact| fact.name == own.name);
            let Some(fact) = fact else { continue };
            assert_ne!(fact.mention_basis, Some(Basis::Derived));
            let (theirs, ours) = (fact.mentions.unwrap_or(0) > 0, fact.derived_mentions.unwrap_or(0) > 0);
            upstream_only += u64::from(theirs && !ours);
            derived_only += u64::from(ours && !theirs);
        }
        assert!(runs > 20 && complete >= "2026-11-19", "{project}");
        let both = (runs - upstream_only - derived_only) as f64 / runs as f64;
        let agreed = row("mentioned");
        assert_eq!((&agreed[2], &agreed[4], &agreed[5]), (&json!(runs), &json!(upstream_only), &json!(derived_only)));
        assert!((agreed[3].as_f64().unwrap() - both).abs() < 1e-4, "{agreed} {both}");
        // The tracker knows second spellings of the brand that it does not tell, and that is all they differ in.
        assert!(both > 0.85 && derived_only == 0, "{table}");
        let cited = row("cited");
        assert_eq!(cited[2], runs);
        assert!(cited[3].as_f64().unwrap() > 0.9, "{table}");
    }
}

/// The brands without any second spelling.
fn bare(brands: &[Brand]) -> Vec<Brand> {
    brands.iter().map(|brand| Brand { aliases: Vec::new(), ..brand.clone() }).collect()
}

fn added(brands: &[Brand]) -> AddedBrands {
    AddedBrands::from([("lunary".into(), brands.to_vec())])
}

/// Some hundred answers, so that reading them again takes more than one step.
fn larger() -> LunaryStage {
    let stage = LunaryStage::of(WorldSize { prompts: vec![24], engines: 5, days: 4, ..small() });
    stage.settle();
    stage
}

#[tokio::test]
async fn an_alias_that_is_added_is_read_off_the_cached_answers_without_the_network() {
    let mut stage = larger();
    let full = stage.brands.clone();
    let from_the_start = stage.undisturbed("full.sqlite").await;
    stage.brands = bare(&full);
    stage.sync_all().await;
    let before = picture(&stage.store);
    let (aliased, place) = full.iter().zip(0..).find(|(brand, _)| !brand.aliases.is_empty()).unwrap();
    let name = stage.name().to_owned();
    let hits = |stage: &LunaryStage| {
        let found = summary(&stage.backend(), &name, &aliased.name);
        assert_eq!(found["basis"]["mentions"], json!(["derived"]));
        found["mention_share_of_voice"]["hits"].as_u64().unwrap()
    };
    let without = hits(&stage);
    stage.server.shutdown();

    let (clock, quiet) = (evening(stage.last_day()), |_: &RedetectProgress| ());
    let cancel = CancellationToken::new();
    let wanted = added(&full);
    // Cut off after the first step, with the rest to read.
    let cut = |progress: &RedetectProgress| {
        if progress.runs > 0 {
            cancel.cancel();
        }
    };
    let part = redetect(&stage.store, &wanted, (&clock, &cancel), &cut).await.unwrap().remove(0);
    assert!(part.runs > 0 && part.runs < part.total, "{part:?}");
    assert_ne!(picture(&stage.store), before);

    let rest = redetect(&stage.store, &wanted, (&clock, &CancellationToken::new()), &quiet).await.unwrap().remove(0);
    assert_eq!((rest.runs, rest.total), (part.total - part.runs, part.total - part.runs), "it goes on");
    assert!(part.changed + rest.changed > 0);
    assert_sound("redetected", &stage.store);
    assert_same("redetected", &picture(&stage.store), &picture(&from_the_start));
    let expected: u32 = finished(&stage.world, 0).iter().map(|run| run.mentions_of(place)).sum();
    assert_eq!(hits(&stage), u64::from(expected));
    assert!(hits(&stage) > without, "the alias adds mentions");

    let again = redetect(&stage.store, &wanted, (&clock, &CancellationToken::new()), &quiet).await.unwrap().remove(0);
    assert_eq!((again.runs, again.total, again.changed), (0, 0, 0));

    // And back: an alias that goes takes its mentions along.
    let back = added(&bare(&full));
    redetect(&stage.store, &back, (&clock, &CancellationToken::new()), &quiet).await.unwrap();
    assert_same("the alias gone", &picture(&stage.store), &before);
    assert_sound("the alias gone", &stage.store);
}

#[tokio::test]
async fn the_next_sync_reads_cached_answers_again_when_an_alias_was_added() {
    let mut stage = larger();
    let full = stage.brands.clone();
    let from_the_start = stage.undisturbed("full.sqlite").await;
    stage.brands = bare(&full);
    stage.sync_all().await;
    assert_ne!(picture(&stage.store), picture(&from_the_start));
    stage.brands = full;
    let report = stage.sync_all().await;
    assert_eq!((report.slices_planned, report.counts.added), (0, 0), "no run is fetched for it");
    assert_same("synced with the alias", &picture(&stage.store), &picture(&from_the_start));
    assert_sound("synced with the alias", &stage.store);
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_command_says_what_it_read_again() {
    let last_day = Day::of(Clock::system().now()).plus(-9);
    let mut stage = LunaryStage::until(WorldSize { prompts: vec![8], ..small() }, last_day);
    let full = stage.brands.clone();
    stage.settle();
    let answers = stage.calls(true).iter().filter(|run| run.status.as_deref() == Some("success")).count();
    stage.brands = bare(&full);
    let cache = stage.store.path().to_owned();

    // Nothing is cached yet.
    let output = stage.program(&cache).arg("redetect").watched();
    let (said, told) = texts(&output);
    assert_eq!((output.status.code(), said.as_str()), (Some(1), ""), "{told}");
    assert!(told.starts_with("error: there is no cache yet\nhint: run `visibility-mcp sync`"), "{told}");
    assert!(!cache.exists());

    let output = stage.program(&cache).arg("sync").watched();
    assert!(output.status.success(), "{:?}", texts(&output));
    stage.server.clear_requests();
    stage.brands = full;
    let output = stage.program(&cache).arg("redetect").watched();
    let (said, told) = texts(&output);
    assert_eq!((output.status.code(), told.as_str()), (Some(0), ""), "{said}");
    let begin = format!("lunary/{}: {answers} answers read, ", stage.name());
    let changed = said.strip_prefix(&begin).and_then(|rest| rest.strip_suffix(" runs with other facts\n"));
    let changed: usize = changed.unwrap_or_else(|| panic!("{said}")).parse().unwrap();
    // As many as name a brand by its alias.
    assert!(changed > 0 && changed <= answers, "{said}");
    let output = stage.program(&cache).arg("redetect").watched();
    assert_eq!(texts(&output), (format!("lunary/{}: up to date\n", stage.name()), String::new()));
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stage.server.requests(), [], "nothing was asked of Lunary");
    assert_sound("by command", &stage.store);
}

#[tokio::test]
async fn three_trackers_of_one_world_answer_side_by_side_each_with_its_basis() {
    let (lumar, verseodin) = (LumarStage::small(), Stage::small());
    let lunary = LunaryStage::of(small());
    lumar.settle();
    verseodin.settle();
    lunary.settle();
    let sources = [lumar.upstream(), verseodin.upstream(), lunary.upstream()];
    let report = lunary.sync_with(&lunary.store, &sources, lunary.last_day()).await;
    report.sources.into_iter().for_each(|source| drop(done(source)));
    assert_sound("three trackers", &lunary.store);
    let backend = backend_of(&lunary.store, &evening(lunary.last_day()), &["lumar", "lunary", "verseodin"]);
    let name = lunary.name();
    let arguments = json!({ "project": name, "period": PERIOD, "response_format": "detailed" });
    let answer = call(&backend, "brand_summary", arguments).unwrap();
    let summaries = answer["summaries"].as_array().unwrap();
    let of = |field: &str| -> Vec<Value> { summaries.iter().map(|summary| summary[field].clone()).collect() };
    assert_eq!(of("source"), ["lumar", "lunary", "verseodin"]);
    let basis: Vec<&Value> = summaries.iter().map(|summary| &summary["basis"]["mentions"]).collect();
    assert_eq!(basis, [&json!(["upstream"]), &json!(["derived"]), &json!(["upstream"])]);
    // The same answers, so the same figures, whoever counted.
    for figure in ["runs", "prompts", "mention_rate", "citation_rate", "presence_rate"] {
        let values = of(figure);
        assert!(values.iter().all(|value| *value == values[0]), "{figure}: {values:?}");
    }
    for source in ["lumar", "lunary", "verseodin"] {
        let one = summary(&backend, &format!("{source}/{name}"), &lunary.brands[0].name);
        assert_eq!(one["source"], source);
    }
}
