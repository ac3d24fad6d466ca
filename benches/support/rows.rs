//! The rows that are synced: a year of a big tracker, made day by day out of the demo's world, as Verseodin sends it.

use serde::Serialize;
use std::sync::Arc;
use visibility_mcp::{
    demo::{
        verseodin::{PromptRow, TrackedBrand, Tracker as _, Universe, WorldTracker},
        world::{Take, World, WorldRun, WorldSize},
    },
    model::{Brand, BrandKey, BrandKind, Day, ProjectRecord, Status, host_of},
};

/// Rows of a page, as many as the API gives.
pub const PAGE: usize = 1_000;

/// 500 prompts on six engines; so a year is a million runs, and sizes are days.
const RUNS_PER_DAY: usize = 500 * 6;

/// Pages of a day.
pub const PAGES_PER_DAY: usize = RUNS_PER_DAY.div_ceil(PAGE);

/// A world and the universe that is read from it.
pub struct Rows {
    world: Arc<World>,
    universe: Universe,
}

#[derive(Serialize)]
struct Body {
    data: Vec<PromptRow>,
    limit: usize,
    offset: usize,
}

impl Rows {
    /// So many days, the last one always the same.
    pub fn of(days: i32) -> Self {
        let size = WorldSize { days, ..WorldSize::million() };
        let world = Arc::new(World::new(size, 42, last_day()));
        let universe = WorldTracker::new(Arc::clone(&world)).universes().remove(0);
        Self { world, universe }
    }

    /// The days, oldest first.
    pub fn days(&self) -> Vec<Day> {
        let days = self.world.days();
        (0..days.days()).map(|i| days.first.plus(i)).collect()
    }

    /// One page of a day as the API would send it.
    pub fn body(&self, day: Day, page: usize) -> String {
        let engines = self.world.engine_count();
        let run = |place: usize| {
            let take = Take { number: 0, settled: true };
            self.world.run_take(0, day, place / engines, place % engines, take)
        };
        let offset = page * PAGE;
        let places = offset..(offset + PAGE).min(RUNS_PER_DAY);
        let data = places.filter_map(run).map(|run| row(&self.universe, &run)).collect();
        serde_json::to_string(&Body { data, limit: PAGE, offset }).unwrap()
    }

    /// The project as the client would have discovered it.
    pub fn project(&self) -> ProjectRecord {
        let brand = |brand: &TrackedBrand, kind: BrandKind| {
            let host = host_of(&brand.website).unwrap();
            let key = BrandKey(host.clone());
            Brand {
                key,
                name: brand.name.clone(),
                kind,
                domains: vec![host],
                aliases: brand.tokens.clone(),
                exact: vec![],
                excluded: vec![],
            }
        };
        let rivals = self.universe.competitors.iter().map(|rival| brand(rival, BrandKind::Competitor));
        ProjectRecord {
            key: self.universe.id.clone(),
            account: None,
            name: self.universe.universe_name.clone(),
            website: Some(self.universe.own.website.clone()),
            brands: std::iter::once(brand(&self.universe.own, BrandKind::Own)).chain(rivals).collect(),
            latest_day: Some(last_day()),
            raw: "{}".to_owned(),
        }
    }
}

/// The newest day of the data.
pub fn last_day() -> Day {
    "2025-12-31".parse().unwrap()
}

/// A run as its row, as the demo's tracker makes it; that one makes whole days, which are too much at a time here.
fn row(universe: &Universe, run: &WorldRun<'_>) -> PromptRow {
    let number = u32::try_from(run.prompt + 1).unwrap();
    let mut row = PromptRow::pending(universe, run.day, run.engine_name, number, run.prompt_text);
    row.created_at = run.created_at;
    row.started_at = run.started_at;
    row.finished_at = run.finished_at;
    row.cost_milli_cents = run.cost_milli_cents;
    row.web_search_triggered = run.web_search;
    match &run.status {
        Status::Finished => {
            let links = run.citations.iter().map(|citation| citation.url.clone()).collect();
            let mut row = row.completed(universe, run.answer.as_deref().unwrap_or_default(), links);
            row.my_brand_mentions_count = run.mentions_of(0);
            row.model_used = Some(run.model.to_owned());
            row
        }
        Status::Failed => row.failed(run.failure.unwrap_or("unknown")),
        _ => row,
    }
}
