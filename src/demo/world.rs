//! A world to demonstrate and test with: brands, prompts, engines and their answers, each run a pure function of the
//! seed and its coordinates (project, day, prompt, engine).
//!
//! Nothing is kept per run, so a world of a million runs costs no more memory than a small one. Days are absolute: a
//! world with a later last day has the same past, except that runs which were open on its then newest day are done.

mod answer;
mod cast;
mod engines;
mod links;
mod prompts;
mod run;
mod story;
mod themes;

pub use answer::{WorldCitation, WorldMention};
pub use cast::WorldBrand;
pub use prompts::WorldPrompt;
pub use run::{Take, WorldRun};

use super::rng::{Dice, place, real};
use crate::model::{Day, DayRange};
use themes::{THEMES, Theme};

/// How big a world is, and what its answers are like on average.
#[derive(Clone, PartialEq, Debug)]
pub struct WorldSize {
    /// Prompts of each project; as many projects as there are entries.
    pub prompts: Vec<usize>,
    /// Engines asked. The first four are those that Verseodin documents.
    pub engines: usize,
    /// Days up to the last one, itself included.
    pub days: i32,
    /// Brands of each project: its own and its competitors.
    pub brands: usize,
    /// Sites that answers cite besides those of brands.
    pub domains: usize,
    /// Mean length of an answer, in bytes of UTF-8. Answers with many brands and links may be longer.
    pub answer_bytes: usize,
    /// Mean number of URLs in an answer.
    pub citations: f64,
    /// Mean number of brands that an answer names.
    pub mentions: f64,
}

impl WorldSize {
    /// The demo's world: two projects, four engines, eight weeks, five competitors each.
    #[must_use]
    pub fn demo() -> Self {
        Self {
            prompts: vec![24, 20],
            engines: 4,
            days: 56,
            brands: 6,
            domains: 60,
            answer_bytes: 1_400,
            citations: 3.5,
            mentions: 2.4,
        }
    }

    /// A year of a big tracker: 1,095,000 runs of one project.
    #[must_use]
    pub fn million() -> Self {
        Self {
            prompts: vec![500],
            engines: 6,
            days: 365,
            brands: 40,
            domains: 20_000,
            answer_bytes: 2_000,
            citations: 5.0,
            mentions: 3.7,
        }
    }
}

/// A change of an engine's model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModelChange {
    /// The engine.
    pub engine: String,
    /// The first day with the new model.
    pub day: Day,
    /// The model before.
    pub from: String,
    /// The model from then on.
    pub to: String,
}

/// A project: a brand, its competitors and the questions asked about them.
#[derive(Debug)]
struct Project {
    name: String,
    theme: &'static Theme,
    brands: Vec<WorldBrand>,
    prompts: Vec<WorldPrompt>,
    /// Log-odds of naming a brand, prompts by brands: each prompt has its own rates, the same every day.
    appeal: Vec<f64>,
    /// What an engine adds for a brand, engines by brands.
    taste: Vec<f64>,
}

/// A world; see the module.
#[derive(Debug)]
pub struct World {
    size: WorldSize,
    seed: u64,
    last_day: Day,
    projects: Vec<Project>,
    engines: Vec<engines::Engine>,
    hosts: Vec<String>,
    /// Names of the changing engine's models, from the generation of the first day on.
    models: Vec<String>,
}

/// What a throw of the dice is for: the first coordinate of each.
mod purpose {
    pub(super) const APPEAL: u64 = 1;
    pub(super) const TASTE: u64 = 2;
    pub(super) const RUN: u64 = 3;
    pub(super) const OPEN: u64 = 4;
    pub(super) const WEB: u64 = 5;
    pub(super) const INCIDENT: u64 = 6;
    pub(super) const CLOCK: u64 = 7;
}

impl World {
    /// The world of this size and seed up to `last_day`.
    #[must_use]
    pub fn new(size: WorldSize, seed: u64, last_day: Day) -> Self {
        let engines = engines::engines(size.engines, size.citations);
        let projects = (0..size.prompts.len()).filter_map(|ix| Project::new(&size, &engines, seed, ix)).collect();
        let hosts = cast::hosts(size.domains);
        let mut world = Self { size, seed, last_day, projects, engines, hosts, models: Vec::new() };
        let base = world.engines.get(story::CHANGING_ENGINE).map_or("", |engine| engine.habits.model);
        world.models = (story::generation(world.days().first)..=story::generation(last_day))
            .map(|generation| story::model(base, generation))
            .collect();
        world
    }

    /// The same world on a later (or earlier) last day, with as many days: days in both are the same.
    #[must_use]
    pub fn until(&self, last_day: Day) -> Self {
        Self::new(self.size.clone(), self.seed, last_day)
    }

    /// The size asked for.
    #[must_use]
    pub fn size(&self) -> &WorldSize {
        &self.size
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The days that have runs.
    #[must_use]
    pub fn days(&self) -> DayRange {
        DayRange::ending(self.last_day, self.size.days)
    }

    /// How many projects there are.
    #[must_use]
    pub fn project_count(&self) -> usize {
        self.projects.len()
    }

    /// How many engines are asked, the same in every project.
    #[must_use]
    pub fn engine_count(&self) -> usize {
        self.engines.len()
    }

    /// How many prompts a project has.
    #[must_use]
    pub fn prompt_count(&self, project: usize) -> usize {
        self.prompts(project).len()
    }

    /// How many runs there are in all.
    #[must_use]
    pub fn run_count(&self) -> usize {
        let days = usize::try_from(self.days().days()).unwrap_or(0);
        self.projects.iter().map(|project| project.prompts.len()).sum::<usize>() * days * self.engines.len()
    }

    /// A project's name; empty when there is no such project.
    #[must_use]
    pub fn project_name(&self, project: usize) -> &str {
        self.projects.get(project).map_or("", |project| project.name.as_str())
    }

    /// Where a project's buyers are, as a country code.
    #[must_use]
    pub fn location(&self, project: usize) -> &str {
        self.projects.get(project).map_or("", |project| project.theme.location)
    }

    /// A project's brands, its own first.
    #[must_use]
    pub fn brands(&self, project: usize) -> &[WorldBrand] {
        self.projects.get(project).map_or(&[], |project| &project.brands)
    }

    /// A project's prompts.
    #[must_use]
    pub fn prompts(&self, project: usize) -> &[WorldPrompt] {
        self.projects.get(project).map_or(&[], |project| &project.prompts)
    }

    /// The engines' names.
    #[must_use]
    pub fn engines(&self) -> impl ExactSizeIterator<Item = &str> {
        self.engines.iter().map(|engine| engine.name.as_str())
    }

    /// Hosts of the sites that answers cite besides those of brands, the widely cited ones first.
    #[must_use]
    pub fn sites(&self) -> &[String] {
        &self.hosts
    }

    /// The model changes inside the days of this world: one in any eight weeks.
    #[must_use]
    pub fn model_changes(&self) -> Vec<ModelChange> {
        let Some(engine) = self.engines.get(story::CHANGING_ENGINE) else { return Vec::new() };
        let days = self.days();
        (1..days.days())
            .map(|i| days.first.plus(i))
            .filter(|day| story::generation(*day) != story::generation(day.plus(-1)))
            .map(|day| ModelChange {
                engine: engine.name.clone(),
                day,
                from: story::model(engine.habits.model, story::generation(day.plus(-1))),
                to: story::model(engine.habits.model, story::generation(day)),
            })
            .collect()
    }

    /// The competitor whose rise shows most in the days of this world, by index; the same in every project. A world
    /// of many years sees each competitor rise in turn.
    #[must_use]
    pub fn rising_brand(&self) -> usize {
        1 + story::rising(self.size.brands.saturating_sub(1), self.days())
    }

    /// The runs of a project's day, prompt by prompt.
    pub fn day_runs(&self, project: usize, day: Day) -> impl Iterator<Item = WorldRun<'_>> {
        (0..self.prompt_count(project)).flat_map(move |prompt| {
            (0..self.engine_count()).filter_map(move |engine| self.run(project, day, prompt, engine))
        })
    }

    /// Every run: project by project, day by day, oldest first.
    pub fn runs(&self) -> impl Iterator<Item = WorldRun<'_>> {
        let days = self.days();
        (0..self.project_count())
            .flat_map(move |project| (0..days.days()).flat_map(move |i| self.day_runs(project, days.first.plus(i))))
    }

    /// The run at these coordinates; none where the world has none.
    #[must_use]
    pub fn run(&self, project: usize, day: Day, prompt: usize, engine: usize) -> Option<WorldRun<'_>> {
        self.run_take(project, day, prompt, engine, Take::default())
    }

    /// The run at these coordinates as another take of it would have come out.
    #[must_use]
    pub fn run_take(&self, project: usize, day: Day, prompt: usize, engine: usize, take: Take) -> Option<WorldRun<'_>> {
        run::run(self, run::Coordinates { project, day, prompt, engine }, take)
    }

    /// Dice for a purpose at some coordinates.
    fn dice(&self, purpose: u64, coordinates: &[u64]) -> Dice {
        Dice::at(Dice::at(self.seed, &[purpose]).word(), coordinates)
    }
}

impl Project {
    fn new(size: &WorldSize, engines: &[engines::Engine], seed: u64, ix: usize) -> Option<Self> {
        let theme = THEMES.get(ix % THEMES.len())?;
        let brands = cast::brands(theme, ix, size.brands);
        let prompts = prompts::prompts(theme, &brands, size.prompts.get(ix).copied()?);
        let own = brands.first().map_or("Nobody", |brand| brand.name.as_str());
        let name = format!("{own} · {}", theme.label);
        let taste: Vec<f64> = (0..engines.len() * brands.len())
            .map(|i| 0.5 * Dice::at(seed, &[purpose::TASTE, place(ix), place(i)]).bell())
            .collect();
        let mut appeal = appeal(&brands, &prompts, seed, ix);
        let shift = shift_for(&appeal, &taste, engines, brands.len(), size.mentions);
        for log_odds in &mut appeal {
            *log_odds += shift;
        }
        Some(Self { name, theme, brands, prompts, appeal, taste })
    }
}

/// How likely each prompt's answers are to name each brand, in log-odds: a brand's own standing, the prompt's leaning
/// towards names at all, and a good deal of taste of this prompt for this brand, so that a prompt's runs resemble one
/// another more than those of other prompts. A brand that the question names is nearly always in the answer.
fn appeal(brands: &[WorldBrand], prompts: &[WorldPrompt], seed: u64, project: usize) -> Vec<f64> {
    let bell = |place_a: usize, place_b: usize| {
        Dice::at(seed, &[purpose::APPEAL, place(project), place(place_a), place(place_b)]).bell()
    };
    let mut table: Vec<f64> = Vec::with_capacity(prompts.len() * brands.len());
    for (p, prompt) in prompts.iter().enumerate() {
        for b in 0..brands.len() {
            // Competitors that are listed later are less known.
            let standing = 0.6 * bell(usize::MAX, b) - 1.2 * real(b) / real(brands.len().max(1));
            let asked = if prompt.names.contains(&b) { 4.0 } else { 0.0 };
            table.push(standing + 0.5 * bell(p, usize::MAX) + 1.1 * bell(p, b) + asked);
        }
    }
    table
}

/// What to add to the appeal so that an answer names `mentions` brands on average, over engines and seasons. It looks
/// at no days, since a later last day must not change the past.
fn shift_for(appeal: &[f64], taste: &[f64], engines: &[engines::Engine], brands: usize, mentions: f64) -> f64 {
    let brands = brands.max(1);
    // A sample is enough, of whole prompts.
    let every = (appeal.len() * engines.len() / 20_000).max(1);
    let log_odds: Vec<f64> = engines
        .iter()
        .zip(taste.chunks(brands))
        .flat_map(|(engine, taste)| {
            appeal.chunks(brands).step_by(every).enumerate().flat_map(move |(row, prompt)| {
                prompt.iter().zip(taste).enumerate().map(move |(brand, (appeal, taste))| {
                    let rise = if brand == 0 { 0.0 } else { story::sample_rise(row + brand) };
                    appeal + taste + rise + engine.habits.eagerness
                })
            })
        })
        .collect();
    story::calibrate(&log_odds, mentions / real(brands))
}

#[cfg(test)]
mod tests;
