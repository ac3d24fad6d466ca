//! The world keeps its word: same seed, same runs; what it says of an answer is in the answer; the past stays.

use super::*;
use crate::{demo::prose::count_names, model::Status};
use std::collections::BTreeMap;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn demo() -> World {
    World::new(WorldSize::demo(), 7, day("2026-11-21"))
}

/// URLs of a text by a plain scan, in the order in which they are written.
fn scan_urls(text: &str) -> Vec<String> {
    text.match_indices("https://")
        .map(|(at, _)| {
            let rest = &text[at..];
            let end = rest.find(|c: char| c.is_whitespace() || ")>|\"".contains(c)).unwrap_or(rest.len());
            rest[..end].trim_end_matches('.').to_owned()
        })
        .collect()
}

#[test]
fn the_truth_is_in_the_text() {
    let big = World::new(WorldSize { prompts: vec![40], days: 20, ..WorldSize::million() }, 3, day("2026-05-01"));
    let mut finished = 0;
    for world in [demo(), big] {
        let spellings: Vec<Vec<Vec<&str>>> = (0..world.project_count())
            .map(|p| world.brands(p).iter().map(|b| b.spellings().collect()).collect())
            .collect();
        for run in world.runs().step_by(3) {
            let Some(answer) = &run.answer else { continue };
            finished += 1;
            let cited: Vec<&str> = run.citations.iter().map(|c| c.url.as_str()).collect();
            assert_eq!(scan_urls(answer), cited, "{answer}");
            let counted = count_names(answer, &spellings[run.project]);
            let told: Vec<u32> = (0..counted.len()).map(|brand| run.mentions_of(brand)).collect();
            assert_eq!(counted, told, "{answer}");
            for citation in &run.citations {
                let host = crate::model::host_of(&citation.url).unwrap();
                let owner = world
                    .brands(run.project)
                    .iter()
                    .position(|b| host == b.domain || host.ends_with(&format!(".{}", b.domain)));
                assert_eq!(owner, citation.brand, "{}", citation.url);
            }
        }
    }
    assert!(finished > 4_000, "{finished}");
}

#[test]
fn runs_depend_on_seed_and_coordinates_alone() {
    let (one, other) = (demo(), demo());
    assert!(one.runs().step_by(17).eq(other.runs().step_by(17)));
    let reseeded = World::new(WorldSize::demo(), 8, day("2026-11-21"));
    let differ = one.runs().zip(reseeded.runs()).step_by(17).filter(|(a, b)| a.answer != b.answer).count();
    assert!(differ > 400, "{differ}");
    assert_eq!(one.runs().count(), one.run_count());
}

#[test]
fn newer_days_leave_the_past_as_it_was() {
    let before = demo();
    for later in [1, 20, 40] {
        let after = before.until(before.days().last.plus(later));
        for i in later..before.days().days() {
            let past = before.days().first.plus(i);
            let settled = past < before.days().last;
            for run in before.day_runs(1, past) {
                let again = after.run(1, past, run.prompt, run.engine).unwrap();
                if settled || !run.status.is_open() {
                    assert_eq!(run, again);
                } else {
                    assert!(!again.status.is_open());
                    assert_eq!(run.created_at, again.created_at);
                }
            }
        }
    }
}

#[test]
fn only_the_newest_day_has_open_runs() {
    let world = demo();
    let mut by_status: BTreeMap<String, usize> = BTreeMap::new();
    for run in world.runs() {
        assert!(!run.status.is_open() || run.day == world.days().last);
        assert_eq!(run.answer.is_some(), run.status == Status::Finished);
        assert_eq!(run.failure.is_some(), run.status == Status::Failed);
        assert_eq!(run.finished_at.is_none(), run.status.is_open());
        assert_eq!(Day::of(run.finished_at.unwrap_or(run.created_at)), run.day);
        *by_status.entry(run.status.to_string()).or_default() += 1;
    }
    for status in ["pending", "running", "finished", "failed"] {
        assert!(by_status.get(status).is_some_and(|n| *n > 2), "{by_status:?}");
    }
    let newest = world.days().last;
    let settled = Take { number: 0, settled: true };
    assert!((0..20).all(|p| (0..4).all(|e| !world.run_take(0, newest, p, e, settled).unwrap().status.is_open())));
}

#[test]
fn another_take_gives_another_answer_to_the_same_question() {
    let world = demo();
    let day = world.days().first;
    let again = Take { number: 1, settled: false };
    let changed = world
        .day_runs(0, day)
        .filter(|run| {
            let other = world.run_take(0, day, run.prompt, run.engine, again).unwrap();
            assert_eq!((run.prompt_text, run.created_at), (other.prompt_text, other.created_at));
            other.answer != run.answer
        })
        .count();
    assert!(changed > 80, "{changed}");
}

/// Share of finished runs of a project that name the brand, in the days given.
fn rate(world: &World, project: usize, brand: usize, first: Day, days: i32) -> f64 {
    let runs: Vec<_> =
        (0..days).flat_map(|i| world.day_runs(project, first.plus(i))).filter(|r| r.answer.is_some()).collect();
    real(runs.iter().filter(|r| r.mentions_of(brand) > 0).count()) / real(runs.len())
}

#[test]
fn a_competitor_rises() {
    for last in ["2026-11-21", "2026-12-05", "2026-12-20", "2027-01-03"] {
        let world = World::new(WorldSize::demo(), 7, day(last));
        let (brand, days) = (world.rising_brand(), world.days());
        let third = days.days() / 3;
        for project in 0..2 {
            let before = rate(&world, project, brand, days.first, third);
            let after = rate(&world, project, brand, days.last.plus(1 - third), third);
            assert!(after > before + 0.05, "{last} {project}: {before:.3} {after:.3}");
        }
    }
}

#[test]
fn one_engine_changes_its_model_and_its_habits() {
    let world = demo();
    let changes = world.model_changes();
    assert_eq!(changes.len(), 1, "{changes:?}");
    let change = &changes[0];
    let (mut before, mut after) = ((0, 0), (0, 0));
    for run in world.runs().filter(|run| run.engine_name == change.engine) {
        let side = if run.day < change.day { &mut before } else { &mut after };
        assert_eq!(run.model, if run.day < change.day { &change.from } else { &change.to });
        side.0 += run.citations.len();
        side.1 += usize::from(run.answer.is_some());
    }
    let (before, after) = (real(before.0) / real(before.1), real(after.0) / real(after.1));
    assert!((before / after).ln().abs() > 0.4, "{before} {after}");
    for other in world.runs().filter(|run| run.engine_name == "grok") {
        assert_eq!(other.model, "grok-4-1");
    }
}

#[test]
fn answers_have_the_averages_asked_for() {
    for size in [WorldSize::demo(), WorldSize { days: 60, ..WorldSize::million() }] {
        let world = World::new(size.clone(), 11, day("2026-11-21"));
        let (mut runs, mut bytes, mut links, mut brands) = (0, 0, 0, 0);
        for run in world.runs().step_by(29) {
            let Some(answer) = &run.answer else { continue };
            runs += 1;
            bytes += answer.len();
            links += run.citations.len();
            brands += run.mentions.len();
        }
        let mean = |sum: usize| real(sum) / real(runs);
        let near = |got: f64, asked: f64| (got / asked - 1.0).abs() < 0.2;
        assert!(near(mean(bytes), real(size.answer_bytes)), "{} bytes", mean(bytes));
        assert!(near(mean(links), size.citations), "{} links", mean(links));
        assert!(near(mean(brands), size.mentions), "{} brands", mean(brands));
    }
}

#[test]
fn runs_of_one_prompt_resemble_each_other() {
    let world = demo();
    let days = world.days();
    // Variance of the prompts' own rates against what chance alone would give.
    let rates: Vec<(f64, f64)> = (0..world.prompt_count(0))
        .map(|prompt| {
            let runs: Vec<_> = (0..days.days())
                .filter_map(|i| world.run(0, days.first.plus(i), prompt, 1))
                .filter(|r| r.answer.is_some())
                .collect();
            (real(runs.iter().filter(|r| r.mentions_of(0) > 0).count()) / real(runs.len()), real(runs.len()))
        })
        .collect();
    let n = real(rates.len());
    let mean = rates.iter().map(|(rate, _)| rate).sum::<f64>() / n;
    let variance = rates.iter().map(|(rate, _)| (rate - mean).powi(2)).sum::<f64>() / n;
    let chance = mean * (1.0 - mean) / rates.first().unwrap().1;
    assert!(variance > 5.0 * chance, "{variance} {chance}");
}

#[test]
fn answers_hold_what_makes_real_ones_hard_to_read() {
    let texts: Vec<String> = demo().runs().filter_map(|run| run.answer).collect();
    for sign in [
        "utm_source=chatgpt.com",
        "]: https://",
        "](https://",
        " <https://",
        "|---|",
        "\u{a0}",
        "提示",
        "Примечание",
        "😅",
        "#:~:text=",
        "help@",
        "pr%C3%BC",
    ] {
        assert!(texts.iter().any(|text| text.contains(sign)), "{sign}");
    }
}

#[test]
fn there_is_nothing_outside_the_world() {
    let world = demo();
    let days = world.days();
    assert!(world.run(2, days.last, 0, 0).is_none());
    assert!(world.run(0, days.last, 24, 0).is_none());
    assert!(world.run(0, days.last, 0, 4).is_none());
    assert!(world.run(0, days.last.plus(1), 0, 0).is_none());
    assert!(world.run(0, days.first.plus(-1), 0, 0).is_none());
    let empty = WorldSize { prompts: vec![1], engines: 0, brands: 0, domains: 0, ..WorldSize::demo() };
    assert_eq!(World::new(empty, 1, days.last).runs().count(), 0);
    let lonely = WorldSize { prompts: vec![3], brands: 0, domains: 0, ..WorldSize::demo() };
    assert_eq!(World::new(lonely, 1, days.last).runs().count(), 3 * 4 * 56);
}
