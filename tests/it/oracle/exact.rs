//! Unrounded figures straight from the library, for the oracle to recompute.

use super::{dice::Dice, questions::named, worlds::Cached};
use serde_json::{Map, Value, json};
use visibility_mcp::{
    analysis::{
        Change, Figures, Mean, Pairing, Rate, benjamini_hochberg, by_engine, change, change_in_mean, difference,
        difference_in_mean, exact_p, flip_rate, presence_percent, quality_score, visibility_index,
    },
    model::{Cell, DayRange, EngineRef, PromptRef, ScoreParts},
    store::{CellQuery, CellTable, Reader},
};

/// Figures, changes and counts of thrown questions about a cache.
pub fn of_cache(cached: &Cached, rounds: usize) -> Vec<Value> {
    let reader = cached.store.reader().unwrap();
    let projects = named(cached);
    let mut dice = Dice::new(13);
    let mut lines = Vec::new();
    for _ in 0..rounds {
        let project = dice.pick(&projects);
        let brands = reader.brands(&project.key).unwrap();
        let brand = dice.pick(&brands).brand.key.clone();
        let last = dice.pick(&project.days).parse().unwrap();
        let days = DayRange::ending(last, *dice.pick(&[1, 2, 7, 14, 30]));
        let engine = Some(dice.pick(&project.engines).as_str()).filter(|_| dice.below(3) == 0);
        let include_branded = dice.below(2) == 0;
        let query = CellQuery { engine, include_branded, ..CellQuery::new(&project.key, &brand, days) };
        let question = json!({
            "source": project.key.source.to_string(),
            "project": project.key.key,
            "brand": brand,
            "days": [days.first.to_string(), days.last.to_string()],
            "engine": engine,
            "include_branded": include_branded,
        });
        of_query(&reader, &query, &question, &mut lines);
    }
    lines
}

fn of_query(reader: &Reader, query: &CellQuery<'_>, question: &Value, lines: &mut Vec<Value>) {
    let now = reader.cells(query).unwrap();
    let before = reader.cells(&CellQuery { days: query.days.before(), ..*query }).unwrap();
    let engines: Map<String, Value> = by_engine(&now.cells)
        .iter()
        .map(|(engine, of_engine)| (now.engines[engine].clone(), figures(of_engine)))
        .collect();
    let mut add = |kind: &str, question: &Value, value: Value| {
        lines.push(json!({ "exact": kind, "question": question, "value": value }));
    };
    add("figures", question, figures(&Figures::of(&now.cells)));
    add("engines", question, Value::Object(engines));
    add("counts", question, counts(reader, &now));
    for (measure, found) in changes(&before.cells, &now.cells) {
        let mut question = question.clone();
        question["measure"] = measure.into();
        add("change", &question, moved(&found));
    }
}

fn changes(before: &[Cell], now: &[Cell]) -> [(&'static str, Change); 6] {
    [
        ("presence", change(before, now, |cell| (cell.present, cell.presence_checked))),
        ("mention", change(before, now, |cell| (cell.mentioned, cell.mention_checked))),
        ("citation", change(before, now, |cell| (cell.cited, cell.citation_checked))),
        ("position", change_in_mean(before, now, |cell| (cell.position_sum.into(), cell.position_runs))),
        ("rank", change_in_mean(before, now, |cell| (cell.rank_sum.into(), cell.rank_runs))),
        ("sentiment", change_in_mean(before, now, |cell| (cell.sentiment_sum, cell.sentiment_runs))),
    ]
}

/// The cells by prompt and engine.
fn counts(reader: &Reader, table: &CellTable) -> Value {
    let prompts: Vec<PromptRef> = table.cells.iter().map(|cell| cell.prompt).collect();
    let prompts = reader.prompts(&prompts).unwrap();
    let of_cell = |cell: &Cell| {
        json!({
            "runs": cell.runs,
            "presence": [cell.present, cell.presence_checked],
            "mention": [cell.mentioned, cell.mention_checked],
            "citation": [cell.cited, cell.citation_checked],
            "mention_share": [cell.share_mentions, cell.share_all_mentions],
            "citation_share": [cell.share_citations, cell.share_all_citations],
            "position": [cell.position_sum, cell.position_runs],
            "rank": [cell.rank_sum, cell.rank_runs],
            "sentiment": [cell.sentiment_sum, cell.sentiment_runs],
        })
    };
    let named = prompts.iter().zip(&table.cells);
    named.map(|(prompt, cell)| (format!("{} {}", prompt.id, table.engines[&cell.engine]), of_cell(cell))).collect()
}

fn rate(rate: &Rate) -> Value {
    let Rate { value, low, high, hits, runs, prompts } = *rate;
    json!({ "value": value, "low": low, "high": high, "hits": hits, "runs": runs, "prompts": prompts })
}

fn mean(mean: &Mean) -> Value {
    let Mean { value, low, high, runs, prompts } = *mean;
    json!({ "value": value, "low": low, "high": high, "runs": runs, "prompts": prompts })
}

fn figures(figures: &Figures) -> Value {
    json!({
        "runs": figures.runs,
        "prompts": figures.prompts,
        "presence_rate": rate(&figures.presence_rate),
        "mention_rate": rate(&figures.mention_rate),
        "citation_rate": rate(&figures.citation_rate),
        "mention_share_of_voice": rate(&figures.mention_share_of_voice),
        "citation_share_of_voice": rate(&figures.citation_share_of_voice),
        "avg_citation_position": mean(&figures.avg_citation_position),
        "avg_mention_rank": mean(&figures.avg_mention_rank),
        "avg_sentiment": mean(&figures.avg_sentiment),
    })
}

fn moved(change: &Change) -> Value {
    json!({
        "now": change.now,
        "before": change.before,
        "difference": change.difference,
        "low": change.low,
        "high": change.high,
        "verdict": change.verdict,
        "smallest_detectable": change.smallest_detectable,
        "p_value": change.p_value,
        "prompts": change.prompts,
        "cells": change.cells,
        "runs_before": change.runs_before,
        "runs_now": change.runs_now,
        "left_out": change.left_out,
    })
}

/// Figures of thrown counts: few prompts and many, of one size and of any, all hits and none.
pub fn of_counts() -> Vec<Value> {
    let mut dice = Dice::new(3);
    let mut lines = Vec::new();
    let mut add = |kind: &str, question: Value, value: Value| {
        lines.push(json!({ "exact": kind, "question": question, "value": value }));
    };
    for round in 0..400 {
        let most = *dice.pick(&[3, 12, 80]);
        let prompts = 1 + dice.below(most);
        let size = *dice.pick(&[1, 5, 60, 900]);
        let appeal = *dice.pick(&[0.0, 0.03, 0.5, 0.97, 1.0]);
        let sums: Vec<(u64, u64)> = (0..prompts)
            .map(|_| {
                let runs = if round % 3 == 0 { size } else { dice.below(size + 1) };
                ((0..runs).filter(|_| dice.unit() < appeal).count() as u64, runs)
            })
            .collect();
        add("rate", json!({ "prompts": sums }), rate(&Rate::of(sums.iter().copied())));
        let (hits, runs) = sums[0];
        let of_one = rate(&Rate::of_one_prompt(hits, runs));
        add("rate_of_one_prompt", json!({ "hits": hits, "runs": runs }), of_one);

        let sums: Vec<(f64, u64)> =
            sums.iter().map(|(_, runs)| (*runs as f64 * (1.0 + 3.0 * dice.unit()), *runs)).collect();
        let found = Mean::of(sums.iter().copied());
        add("mean", json!({ "prompts": sums }), mean(&found));
        add("mean", json!({ "prompts": sums, "floor": 1.0 }), mean(&found.at_least(1.0)));

        let (a, b) = (dice.below(40), dice.below(40));
        let (before, now) = ((dice.below(a + 1), a), (dice.below(b + 1), b));
        add("exact_p", json!({ "before": before, "now": now }), exact_p(before, now).into());
        let p_values: Vec<f64> = (0..dice.below(30)).map(|_| dice.unit().powi(4)).collect();
        let found = benjamini_hochberg(&p_values, 0.05);
        add("discoveries", json!({ "p_values": p_values, "rate": 0.05 }), json!(found));
        scores(&mut dice, &mut add);
    }
    lines
}

fn scores(dice: &mut Dice, add: &mut impl FnMut(&str, Value, Value)) {
    let runs = dice.below(30);
    let (mentioned, cited) = (dice.below(runs + 1), dice.below(runs + 1));
    let mut quality = || Some(100.0 * dice.unit()).filter(|_| dice.below(4) > 0);
    let (mention_quality, citation_quality) = (quality(), quality());
    let present = mentioned.max(cited);
    let parts = ScoreParts { runs, mentioned, cited, present, mention_quality, citation_quality };
    let question = json!({
        "runs": runs,
        "mentioned": mentioned,
        "cited": cited,
        "present": present,
        "mention_quality": mention_quality,
        "citation_quality": citation_quality,
    });
    add("visibility_index", question.clone(), visibility_index(&parts).into());
    add("quality_score", question.clone(), quality_score(&parts).into());
    add("presence_percent", question, presence_percent(&parts).into());
}

/// Labels of prompts and of engines, which only a store gives: those of a cache with enough of both.
pub fn labels(cached: &Cached) -> (Vec<PromptRef>, Vec<EngineRef>) {
    let reader = cached.store.reader().unwrap();
    let (mut prompts, mut engines) = (Vec::new(), Vec::new());
    for project in named(cached) {
        let brand = reader.brands(&project.key).unwrap().remove(0).brand.key;
        let days =
            DayRange { first: project.days[0].parse().unwrap(), last: project.days.last().unwrap().parse().unwrap() };
        let query = CellQuery { include_branded: true, ..CellQuery::new(&project.key, &brand, days) };
        let cells = reader.cells(&query).unwrap().cells;
        prompts.extend(cells.iter().map(|cell| cell.prompt));
        engines.extend(cells.iter().map(|cell| cell.engine));
    }
    prompts.sort_unstable();
    prompts.dedup();
    engines.sort_unstable();
    engines.dedup();
    (prompts, engines)
}

/// Differences and flips of thrown counts: about as many prompts and runs as a verdict needs, moves of any size.
pub fn of_labelled((prompts, engines): &(Vec<PromptRef>, Vec<EngineRef>)) -> Vec<Value> {
    let mut dice = Dice::new(5);
    let mut lines = Vec::new();
    for _ in 0..600 {
        let most = (*dice.pick(&[3, 5, 5, 6, 6, 7, 9, 20])).min(prompts.len());
        let runs = *dice.pick(&[1, 2, 4, 30]);
        let appeal = *dice.pick(&[0.0, 0.5, 0.9]);
        let step = *dice.pick(&[-0.3, 0.0, 0.1, 0.6, 1.0]);
        let mut side = |appeal: f64| -> Vec<(usize, usize, u32, u32)> {
            let mut cells = Vec::new();
            for prompt in 0..most {
                for engine in 0..engines.len().min(2) {
                    let runs = if runs == 4 { 4 } else { dice.below(runs + 1) };
                    let hits = (0..runs).filter(|_| dice.unit() < appeal).count();
                    cells.push((prompt, engine, u32::try_from(hits).unwrap(), u32::try_from(runs).unwrap()));
                }
            }
            cells
        };
        let (before, now) = (side(appeal), side(appeal + step));
        let pairing = if dice.below(3) == 0 { Pairing::Prompt } else { Pairing::PromptAndEngine };
        let cells = |side: &[(usize, usize, u32, u32)]| -> Vec<Cell> {
            let cell = |(prompt, engine, present, presence_checked): &(usize, usize, u32, u32)| Cell {
                prompt: prompts[*prompt],
                engine: engines[*engine],
                present: *present,
                presence_checked: *presence_checked,
                ..Cell::default()
            };
            side.iter().map(cell).collect()
        };
        let (b, n) = (cells(&before), cells(&now));
        let rate = difference(&b, &n, pairing, |cell| (cell.present, cell.presence_checked));
        let mean = difference_in_mean(&b, &n, pairing, |cell| (f64::from(cell.present), cell.presence_checked));
        for (full, found) in [(json!(1.0), rate), (Value::Null, mean)] {
            let by_engine = pairing == Pairing::PromptAndEngine;
            let question = json!({ "before": before, "now": now, "by_engine": by_engine, "full": full });
            lines.push(json!({ "exact": "difference", "question": question, "value": moved(&found) }));
        }
        lines.push(flips(prompts, engines, &mut dice));
    }
    lines
}

fn flips(prompts: &[PromptRef], engines: &[EngineRef], dice: &mut Dice) -> Value {
    let appeal = dice.unit();
    let mut below = |n: usize| usize::try_from(dice.below(n as u64)).unwrap();
    let places: Vec<(usize, usize)> =
        (0..below(60)).map(|_| (below(prompts.len().min(8)), below(engines.len()))).collect();
    let runs: Vec<(usize, usize, bool)> =
        places.into_iter().map(|(prompt, engine)| (prompt, engine, dice.unit() < appeal)).collect();
    let found = flip_rate(runs.iter().map(|(prompt, engine, present)| (prompts[*prompt], engines[*engine], *present)));
    json!({ "exact": "flip_rate", "question": { "runs": runs }, "value": rate(&found) })
}
