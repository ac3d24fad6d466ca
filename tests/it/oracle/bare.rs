//! A cache written through the store's own door, with what the trackers of the demo never give: a brand looked for in one
//! way and not the other, runs without an answer, days that overlap or were never read to their end, days whose
//! rollups are behind.

use super::{dice::Dice, worlds::Cached};
use crate::support::world::folder;
use jiff::Timestamp;
use visibility_mcp::{
    model::{
        Brand, BrandFact, BrandKey, BrandKind, CitationRecord, Day, DayRange, ProjectKey, ProjectRecord, PromptRecord,
        Published, RunId, RunRecord, SourceName, Status, Surface, UpstreamKind,
    },
    store::{Detect, Store},
};

const SOURCE: &str = "bare";
const BRANDS: [(&str, BrandKind); 3] =
    [("Own", BrandKind::Own), ("Rival", BrandKind::Competitor), ("Third", BrandKind::Competitor)];
const LAST_DAY: &str = "2026-11-20";
const DAYS: i32 = 16;

/// Reads nothing: there are no answers.
struct Blind;

impl Detect for Blind {
    fn stamp(&self) -> u64 {
        0
    }

    fn brands(&self) -> &[BrandKey] {
        &[]
    }

    fn is_branded(&self, prompt: &str) -> bool {
        prompt.contains("Own")
    }

    fn citations(&self, _: &str, _: &[String]) -> Vec<CitationRecord> {
        Vec::new()
    }

    fn facts(&self, _: &str, _: &[&str]) -> Vec<BrandFact> {
        Vec::new()
    }

    fn owner(&self, _: &str) -> Option<&BrandKey> {
        None
    }
}

fn number(n: u64) -> u32 {
    u32::try_from(n).unwrap()
}

fn key(name: &str) -> BrandKey {
    BrandKey(name.to_lowercase())
}

fn project(prompts: u64) -> ProjectRecord {
    let brand = |(name, kind): &(&str, BrandKind)| Brand {
        key: key(name),
        name: (*name).to_owned(),
        kind: *kind,
        domains: vec![format!("{}.example", name.to_lowercase())],
        aliases: Vec::new(),
        exact: Vec::new(),
        excluded: Vec::new(),
    };
    ProjectRecord {
        key: format!("of-{prompts}"),
        account: None,
        name: format!("{prompts} prompts"),
        website: None,
        brands: BRANDS.iter().map(brand).collect(),
        latest_day: None,
        raw: "{}".to_owned(),
    }
}

fn fact(name: &str, appeal: f64, dice: &mut Dice) -> BrandFact {
    let mut count = || (dice.below(6) > 0).then(|| if dice.unit() < appeal { 1 + number(dice.below(3)) } else { 0 });
    let (mentions, citations) = (count(), count());
    let is_there = |count: Option<u32>| count.is_some_and(|count| count > 0);
    BrandFact {
        mentions,
        citations,
        best_citation_position: is_there(citations).then(|| 1 + number(dice.below(5))),
        sentiment: is_there(mentions).then(|| 100.0 * dice.unit() - 20.0),
        mention_quality: is_there(mentions).then(|| 100.0 * dice.unit()),
        citation_quality: is_there(citations).then(|| 100.0 * dice.unit()),
        ..BrandFact::unchecked(key(name))
    }
}

/// One run; each half of the days has its own appeal, so that there is something to find.
fn run(day: Day, prompt: u64, engine: &str, appeal: f64, dice: &mut Dice) -> RunRecord {
    let status = [Status::Finished, Status::Finished, Status::Finished, Status::Failed, Status::Pending];
    let status = dice.pick(&status).clone();
    let finished = status == Status::Finished;
    let facts = BRANDS.iter().filter(|_| finished && dice.below(12) > 0);
    let facts: Vec<&str> = facts.map(|(name, _)| *name).collect();
    let site = |n: u64| ["own", "rival", "blog.third", "news"][usize::try_from(n).unwrap()];
    let url = |n: u64| CitationRecord {
        url: format!("https://{}.example/{prompt}-{n}", site(n)),
        brand: None,
        quality: None,
    };
    let cited = dice.below(4);
    RunRecord {
        key: format!("{day}/{engine}/{prompt}"),
        upstream_id: None,
        prompt: PromptRecord {
            key: prompt.to_string(),
            text: if prompt == 0 { "Is Own any good?".to_owned() } else { format!("Which is best, {prompt}?") },
            topic: Some(format!("topic {}", prompt % 2)),
            label: None,
        },
        engine: engine.to_owned(),
        model: None,
        surface: Surface::Consumer,
        status,
        failure_reason: None,
        day,
        // Many in one instant.
        created_at: day.start() + jiff::SignedDuration::from_hours(i64::from(number(dice.below(3)))),
        started_at: None,
        finished_at: None,
        answer: None,
        citations: finished.then(|| (0..cited).map(url).collect()),
        source_urls: Vec::new(),
        total_citations: Some(number(cited)),
        facts: facts.into_iter().map(|name| fact(name, appeal, dice)).collect(),
        web_search: None,
        cost_usd: None,
        raw: "{}".to_owned(),
        raw_hash: dice.below(u64::from(u32::MAX)),
    }
}

fn published(day: Day, dice: &mut Dice) -> Vec<Published> {
    let mut figure = |metric: &str, (name, _): &(&str, BrandKind)| Published {
        day,
        engine: None,
        brand: Some(key(name)),
        metric: metric.to_owned(),
        value: (100.0 * dice.unit()).to_string(),
    };
    let metrics = ["visibility_index", "quality_score", "presence_rate_percent"];
    metrics.iter().flat_map(|metric| BRANDS.map(|brand| figure(metric, &brand))).collect()
}

/// Projects of few prompts, where every threshold of a verdict is near.
pub async fn world(seed: u64) -> Cached {
    let now: Timestamp = "2026-11-21T20:00:00Z".parse().unwrap();
    let store = Store::at(folder("bare").join("cache.sqlite"));
    let writer = store.writer().unwrap();
    for prompts in 4..=9 {
        let work = move |w: &mut visibility_mcp::store::Write<'_>| {
            let mut dice = Dice::new(100 * seed + prompts);
            let (source, record) = (SourceName::from(SOURCE), project(prompts));
            w.save_source(&source, UpstreamKind::Lumar)?;
            w.save_project(&source, &record, &record.brands, &Blind, now)?;
            let project = ProjectKey { source: source.clone(), key: record.key.clone() };
            for back in (0..DAYS).rev() {
                let day = LAST_DAY.parse::<Day>().unwrap().plus(-back);
                let appeal = if back < DAYS / 2 { 0.9 } else { *dice.pick(&[0.0, 0.2, 0.8]) };
                let mut runs = Vec::new();
                for prompt in 0..prompts {
                    let engine = if dice.below(2) == 0 { "chatgpt" } else { "grok" };
                    if dice.below(3) > 0 {
                        runs.push(run(day, prompt, engine, appeal, &mut dice));
                    }
                }
                let named: Vec<(RunId, &RunRecord)> =
                    runs.iter().map(|run| (RunId::of(&project, &run.key), run)).collect();
                w.save_runs(&project, &named, &[], &Blind, now)?;
                w.save_published(&project, &published(day, &mut dice))?;
                let key = format!("until {day}");
                w.begin_slice(&project, &key, DayRange::ending(day, 1 + i32::from(back % 5 == 0)))?;
                let read_at =
                    day.plus(number(dice.below(3)).cast_signed()).start() + jiff::SignedDuration::from_hours(5);
                if dice.below(4) > 0 {
                    w.complete_slice(&project, &key, None, read_at)?;
                }
                // The last days stay behind.
                if back == 3 {
                    w.refresh_rollups(&project, &visibility_mcp::analysis::recompute)?;
                }
            }
            w.quarantine(&source, "row", "no date", &format!("{prompts}"), now)?;
            w.save_drift(&source, "run", &format!("field {prompts}"), "new", now)
        };
        writer.write(work).await.unwrap();
    }
    Cached::new(&format!("bare-{seed}"), &store, &now.to_string(), &[SOURCE])
}
