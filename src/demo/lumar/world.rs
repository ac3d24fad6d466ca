//! The world as a tracker: its projects are dealt to one account or several, and one more account is a stranger's.
//!
//! Besides the world's brands there are those that appear by themselves: sites that answers cite, one more every
//! twelve days, and other spellings of a brand's name. Those spellings are merged into their brand from the start,
//! so that its figures are what the world says of it, unless [`WorldTracker::with_loose_variants`] lets them loose.

use super::tracker::{Account, Brand, Citation, Mention, Place, Project, Prompt, Run, Tracker};
use crate::{
    demo::{
        prose::count_names,
        rng::place,
        world::{Take, World, WorldRun},
    },
    model::{BrandKind, Day, host_of},
};
use jiff::{Timestamp, ToSpan as _};
use std::{collections::HashMap, sync::Arc};

/// The number of the documentation's example account.
const FIRST_ACCOUNT: u64 = 12_345;
/// Day 20,454 is 2026-01-01; what appears by itself is counted from there.
const FIRST_DAY: i32 = 20_454;
/// Days between two sites that become brands, and how many there are at the least and at the most.
const APPEARS_EVERY: i32 = 12;
const SITES: (usize, usize) = (4, 40);
/// Takes of one day that have numbers.
const TAKES: u32 = 100;

/// Serves a [`World`].
#[derive(Clone, Debug)]
pub struct WorldTracker {
    world: Arc<World>,
    accounts: Vec<Account>,
    projects: Vec<Project>,
    /// Per project: hosts of sites that became brands, with their places.
    sites: Vec<HashMap<String, usize>>,
    loose: bool,
}

impl WorldTracker {
    /// A tracker of this world, all projects in one account.
    #[must_use]
    pub fn new(world: Arc<World>) -> Self {
        Self::with_accounts(world, 1)
    }

    /// The same with its projects dealt to so many accounts in turn.
    #[must_use]
    pub fn with_accounts(world: Arc<World>, accounts: usize) -> Self {
        let accounts = accounts.max(1);
        let account = |ix: usize, name: String, foreign| Account { id: FIRST_ACCOUNT + place(ix), name, foreign };
        let mut all: Vec<Account> =
            (0..accounts).map(|ix| account(ix, format!("Demo account {}", ix + 1), false)).collect();
        all.push(account(accounts, "Strangers".to_owned(), true));
        let mut projects: Vec<Project> =
            (0..world.project_count()).map(|ix| project(&world, ix, FIRST_ACCOUNT + place(ix % accounts))).collect();
        let sites = projects
            .iter()
            .map(|project| {
                let others = project.brands.iter().enumerate().filter(|(_, brand)| brand.kind == BrandKind::Other);
                others.filter_map(|(ix, brand)| Some((brand.domain.clone()?, ix))).collect()
            })
            .collect();
        projects.push(Project {
            id: 900,
            account: FIRST_ACCOUNT + place(accounts),
            name: "Strangersea".to_owned(),
            engines: Vec::new(),
            brands: Vec::new(),
            prompts: Vec::new(),
            days: world.days(),
            created_at: Day::from_epoch_days(FIRST_DAY).start(),
            updated_at: Day::from_epoch_days(FIRST_DAY).start(),
        });
        Self { world, accounts: all, projects, sites, loose: false }
    }

    /// The same with other spellings of competitors' names as brands of their own, waiting to be merged.
    #[must_use]
    pub fn with_loose_variants(mut self) -> Self {
        for project in &mut self.projects {
            let own = project.brands.first().map(|brand| brand.id);
            for brand in project.brands.iter_mut().filter(|brand| brand.merged_into != own) {
                brand.merged_into = None;
            }
        }
        self.loose = true;
        self
    }

    /// The world behind it.
    #[must_use]
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    fn run(&self, project: usize, run: WorldRun<'_>, take: Take) -> Run {
        let number = run_number(project, run.prompt, run.engine, run.day, take.number);
        // Later takes of a day are made later, four minutes apart.
        let minutes = i64::from(take.number.min(300)) * 4;
        let created_at = run.created_at.checked_add(minutes.minutes()).unwrap_or(run.created_at);
        let mentions = self.mentions(project, &run);
        let sites = self.sites.get(project);
        let citations = run.citations.into_iter().map(|citation| {
            let site = || sites?.get(&host_of(&citation.url)?).copied();
            Citation { brand: citation.brand.or_else(site), url: citation.url }
        });
        let searches = (run.web_search == Some(true) && !number.is_multiple_of(3))
            .then(|| vec![run.prompt_text.to_lowercase(), format!("{} reviews", run.topic.to_lowercase())]);
        Run {
            id: number,
            engine: run.engine_name.to_owned(),
            status: run.status,
            created_at,
            answer: run.answer,
            failure: run.failure.map(str::to_owned),
            citations: citations.collect(),
            mentions,
            searches,
        }
    }

    /// The world's counts, or where spellings are brands of their own, the counts of each.
    fn mentions(&self, project: usize, run: &WorldRun<'_>) -> Vec<Mention> {
        let brands = self.projects.get(project).map_or(&[][..], |project| &project.brands);
        let whole = |mention: &crate::demo::world::WorldMention| Mention { brand: mention.brand, count: mention.count };
        let split = |mention: &crate::demo::world::WorldMention| {
            let cast = self.world.brands(project).get(mention.brand)?;
            let variant = |alias: &String| {
                brands.iter().position(|b| b.kind == BrandKind::Other && b.merged_into.is_none() && b.name == *alias)
            };
            let variants: Vec<(usize, &String)> =
                cast.aliases.iter().filter_map(|alias| Some((variant(alias)?, alias))).collect();
            if variants.is_empty() {
                return None;
            }
            let mut names: Vec<Vec<&str>> = vec![vec![cast.name.as_str()]];
            names.extend(variants.iter().map(|(_, alias)| vec![alias.as_str()]));
            let counts = count_names(run.answer.as_deref().unwrap_or_default(), &names);
            let places = std::iter::once(mention.brand).chain(variants.iter().map(|(ix, _)| *ix));
            Some(places.zip(counts).map(|(brand, count)| Mention { brand, count }).collect::<Vec<_>>())
        };
        let each = |mention| if self.loose { split(mention) } else { None }.unwrap_or_else(|| vec![whole(mention)]);
        run.mentions.iter().flat_map(each).filter(|mention| mention.count > 0).collect()
    }
}

impl Tracker for WorldTracker {
    fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    fn projects(&self) -> &[Project] {
        &self.projects
    }

    fn runs(&self, project: usize, prompt: usize, day: Day, take: Take) -> Vec<Run> {
        if take.number >= TAKES {
            return Vec::new();
        }
        (0..self.world.engine_count())
            .filter_map(|engine| self.world.run_take(project, day, prompt, engine, take))
            .map(|run| self.run(project, run, take))
            .collect()
    }

    fn find(&self, run: u64) -> Option<Place> {
        let digits = |shift: u64, width: u64| usize::try_from(run / shift % width).ok();
        Some(Place {
            project: digits(100_000_000, 100)?,
            prompt: digits(10_000, 10_000)?,
            day: Day::from_epoch_days(i32::try_from(run / 10_000_000_000).ok()?),
        })
    }
}

/// Later runs have higher numbers; below 2^53, so that no client spoils one by taking it for a number.
fn run_number(project: usize, prompt: usize, engine: usize, day: Day, take: u32) -> u64 {
    let day = u64::from(day.epoch_days().unsigned_abs());
    let parts = [(place(project), 100), (place(prompt), 10_000), (place(engine), 100), (u64::from(take), 100)];
    parts.into_iter().fold(day, |number, (part, width)| number * width + part % width)
}

fn project(world: &World, ix: usize, account: u64) -> Project {
    let id = 101 + place(ix);
    let number = |kind: u64, n: usize| id * 10_000 + kind * 1_000 + place(n) + 1;
    let tracked = world.brands(ix).iter().enumerate().map(|(n, brand)| Brand {
        id: number(0, n),
        name: brand.name.clone(),
        kind: if brand.own { BrandKind::Own } else { BrandKind::Competitor },
        domain: Some(brand.domain.clone()),
        merged_into: None,
    });
    let spellings = world.brands(ix).iter().enumerate();
    let spellings = spellings.flat_map(|(n, brand)| brand.aliases.iter().map(move |alias| (n, alias)));
    let variants = spellings.enumerate().map(|(place, (of, alias))| Brand {
        id: number(1, place),
        name: alias.clone(),
        kind: BrandKind::Other,
        domain: None,
        merged_into: Some(number(0, of)),
    });
    // Not counted from the world's first day, which moves on with its last.
    let age = (world.days().last.epoch_days() - FIRST_DAY).max(0) / APPEARS_EVERY;
    let seen = usize::try_from(age).unwrap_or(0).clamp(SITES.0, SITES.1);
    let sites = world.sites().iter().take(seen).enumerate().map(|(n, host)| Brand {
        id: number(2, n),
        name: title(host),
        kind: BrandKind::Other,
        domain: Some(host.clone()),
        merged_into: None,
    });
    let prompts = world.prompts(ix).iter().enumerate().map(|(n, prompt)| Prompt {
        id: id * 100_000 + place(n) + 1,
        text: prompt.text.clone(),
        topic: prompt.topic.to_owned(),
    });
    let made: Timestamp = Day::from_epoch_days(FIRST_DAY).start();
    Project {
        id,
        account,
        name: world.project_name(ix).to_owned(),
        engines: world.engines().map(str::to_owned).collect(),
        brands: tracked.chain(variants).chain(sites).collect(),
        prompts: prompts.collect(),
        days: world.days(),
        created_at: made,
        updated_at: made,
    }
}

/// `plain-review.example` as a name: Plain Review.
fn title(host: &str) -> String {
    let stem = host.split('.').next().unwrap_or_default();
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    stem.split('-').map(word).collect::<Vec<_>>().join(" ")
}
