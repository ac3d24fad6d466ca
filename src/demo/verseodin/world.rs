//! The world as a tracker: each of its projects is a universe, and there are two more that a client must not read.

use super::tracker::{PromptRow, TrackedBrand, Tracker, Universe};
use crate::{
    demo::{
        rng::uuid,
        world::{Take, World, WorldBrand, WorldRun},
    },
    model::{Day, Status},
};
use std::sync::Arc;

/// Serves a [`World`].
#[derive(Clone, Debug)]
pub struct WorldTracker {
    world: Arc<World>,
    universes: Vec<Universe>,
}

impl WorldTracker {
    /// A tracker of this world.
    #[must_use]
    pub fn new(world: Arc<World>) -> Self {
        let mut universes: Vec<Universe> = (0..world.project_count()).map(|ix| universe(&world, ix)).collect();
        let extra = |key: &str, name: &str| {
            let website = format!("https://{key}.example/");
            let brand = TrackedBrand { name: name.to_owned(), website, tokens: Vec::new() };
            Universe { created_at: world.days().first.start(), ..Universe::new(key, brand, Vec::new()) }
        };
        universes.push(Universe { status: "processing".to_owned(), ..extra("hollowpine", "Hollowpine") });
        universes.push(Universe { foreign: true, user_id: uuid(0, &[9]), ..extra("strangersea", "Strangersea") });
        Self { world, universes }
    }

    /// The world behind it.
    #[must_use]
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// The UUID of a project's universe; empty when there is no such project.
    #[must_use]
    pub fn universe_id(&self, project: usize) -> &str {
        self.universes.get(project).map_or("", |universe| universe.id.as_str())
    }

    /// The project of a universe; none for the two that have no data.
    fn project(&self, universe: &str) -> Option<(usize, &Universe)> {
        let projects = self.universes.iter().take(self.world.project_count()).enumerate();
        projects.into_iter().find(|(_, u)| u.id == universe)
    }
}

fn universe(world: &World, project: usize) -> Universe {
    let tracked = |brand: &WorldBrand| TrackedBrand {
        name: brand.name.clone(),
        website: brand.website(),
        tokens: brand.aliases.clone(),
    };
    let (own, rivals) = world.brands(project).split_first().map_or_else(
        || (TrackedBrand::default(), Vec::new()),
        |(own, rivals)| (tracked(own), rivals.iter().map(tracked).collect()),
    );
    let key = format!("world {} project {project}", world.seed());
    Universe {
        universe_name: world.project_name(project).to_owned(),
        prompts: world.prompts(project).iter().map(|prompt| prompt.text.clone()).collect(),
        location: Some(world.location(project).to_owned()),
        // Not the first day of the world, since that moves on with the last.
        created_at: Day::from_epoch_days(20_454).start(),
        ..Universe::new(&key, own, rivals)
    }
}

impl Tracker for WorldTracker {
    fn universes(&self) -> Vec<Universe> {
        self.universes.clone()
    }

    fn days(&self, universe: &str) -> Vec<Day> {
        let days = self.world.days();
        self.project(universe).map(|_| (0..days.days()).map(|i| days.first.plus(i)).collect()).unwrap_or_default()
    }

    fn rows(&self, universe: &str, day: Day, take: Take) -> Vec<PromptRow> {
        let Some((project, universe)) = self.project(universe) else { return Vec::new() };
        let world = &self.world;
        (0..world.prompt_count(project))
            .flat_map(|prompt| (0..world.engine_count()).map(move |engine| (prompt, engine)))
            .filter_map(|(prompt, engine)| world.run_take(project, day, prompt, engine, take))
            .map(|run| row(universe, &run))
            .collect()
    }
}

fn row(universe: &Universe, run: &WorldRun<'_>) -> PromptRow {
    let number = u32::try_from(run.prompt + 1).unwrap_or(u32::MAX);
    let mut row = PromptRow::pending(universe, run.day, run.engine_name, number, run.prompt_text);
    row.created_at = run.created_at;
    row.started_at = run.started_at;
    row.finished_at = run.finished_at;
    row.cost_milli_cents = run.cost_milli_cents;
    row.web_search_triggered = run.web_search;
    if run.started_at.is_some() && row.provider.is_some() {
        row.snapshot_id = Some(format!("sd_{}", row.id.replace('-', "").split_at(18).0));
    }
    row = match &run.status {
        Status::Finished => {
            let links = run.citations.iter().map(|citation| citation.url.clone()).collect();
            let mut row = row.completed(universe, run.answer.as_deref().unwrap_or_default(), links);
            row.my_brand_mentions_count = run.mentions_of(0);
            row.model_used = Some(run.model.to_owned());
            row
        }
        Status::Failed => row.failed(run.failure.unwrap_or("unknown")),
        Status::Running => {
            // "Empty/null" while open: both are served.
            PromptRow { status: "processing".to_owned(), response_text: Some(String::new()), ..row }
        }
        _ => row,
    };
    row.attempts = Some(run.attempts);
    row
}
