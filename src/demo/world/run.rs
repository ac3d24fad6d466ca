//! One run: what was asked, of whom, when, and what came back, with the truth about the answer.

use super::{
    World, WorldCitation, WorldMention,
    answer::{self, Brief},
    engines::{Engine, Habits},
    links::{self, Web},
    place, purpose,
    story::{self, Shift},
    themes::FAILURES,
};
use crate::{
    demo::rng::Dice,
    model::{Day, Status},
};
use jiff::Timestamp;

/// A run of the world.
#[derive(Clone, PartialEq, Debug)]
pub struct WorldRun<'w> {
    /// The project, by index.
    pub project: usize,
    /// The prompt, by index.
    pub prompt: usize,
    /// The engine, by index.
    pub engine: usize,
    /// The UTC day.
    pub day: Day,
    /// The question.
    pub prompt_text: &'w str,
    /// The topic of the question.
    pub topic: &'static str,
    /// The engine's name.
    pub engine_name: &'w str,
    /// The model that answered, or would have.
    pub model: &'w str,
    /// Where the run is in its life; only the newest day has open runs.
    pub status: Status,
    /// Why it failed; only when it did.
    pub failure: Option<&'static str>,
    /// The answer; only when it is finished.
    pub answer: Option<String>,
    /// Every URL in the answer as often as it is written, in order.
    pub citations: Vec<WorldCitation>,
    /// The brands that the prose names (a word by itself, in no URL, no e-mail address), by first appearance.
    pub mentions: Vec<WorldMention>,
    /// Did the engine search the web? None while the run is open.
    pub web_search: Option<bool>,
    /// Attempts made so far.
    pub attempts: u32,
    /// What it cost, in thousandths of a cent; none while it is open.
    pub cost_milli_cents: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When work on it began; none while it is pending.
    pub started_at: Option<Timestamp>,
    /// When it was done; none while it is open.
    pub finished_at: Option<Timestamp>,
}

impl WorldRun<'_> {
    /// How often the answer names this brand.
    #[must_use]
    pub fn mentions_of(&self, brand: usize) -> u32 {
        self.mentions.iter().find(|mention| mention.brand == brand).map_or(0, |mention| mention.count)
    }

    /// The URLs of this brand in the answer, as often as they are written.
    pub fn citations_of(&self, brand: usize) -> impl Iterator<Item = &str> {
        self.citations
            .iter()
            .filter(move |citation| citation.brand == Some(brand))
            .map(|citation| citation.url.as_str())
    }
}

/// Which performance of a run: trackers run a day again, and open runs come to an end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Take {
    /// 0 is the first; every number gives other answers to the same questions.
    pub number: u32,
    /// Is the day over, so that no run of it is open any more?
    pub settled: bool,
}

/// Where a run is.
#[derive(Clone, Copy)]
pub(super) struct Coordinates {
    pub(super) project: usize,
    pub(super) day: Day,
    pub(super) prompt: usize,
    pub(super) engine: usize,
}

impl Coordinates {
    fn places(self) -> [u64; 4] {
        [place(self.project), u64::from(self.day.epoch_days().cast_unsigned()), place(self.prompt), place(self.engine)]
    }
}

/// Share of the newest day's runs that wait, in percent, and of those that are at work.
const WAITING: usize = 10;
const AT_WORK: usize = 8;

pub(super) fn run(world: &World, at: Coordinates, take: Take) -> Option<WorldRun<'_>> {
    let prompt = world.projects.get(at.project)?.prompts.get(at.prompt)?;
    let engine = world.engines.get(at.engine)?;
    if !world.days().contains(at.day) {
        return None;
    }
    let changing = at.engine == story::CHANGING_ENGINE;
    let generation = story::generation(at.day);
    let model = if changing {
        let since = usize::try_from(generation - story::generation(world.days().first)).ok()?;
        world.models.get(since)?.as_str()
    } else {
        engine.habits.model
    };
    let shift = if changing { story::shift(generation) } else { story::STEADY };

    let [a, b, c, d] = at.places();
    let mut dice = world.dice(purpose::RUN, &[a, b, c, d, u64::from(take.number)]);
    let status = status(world, at, take, &engine.habits, &mut dice);
    let mut run = WorldRun {
        project: at.project,
        prompt: at.prompt,
        engine: at.engine,
        day: at.day,
        prompt_text: &prompt.text,
        topic: prompt.topic,
        engine_name: &engine.name,
        model,
        status,
        failure: None,
        answer: None,
        citations: Vec::new(),
        mentions: Vec::new(),
        web_search: None,
        attempts: 0,
        cost_milli_cents: None,
        created_at: at.day.start(),
        started_at: None,
        finished_at: None,
    };
    clock(&mut run, world.dice(purpose::CLOCK, &[a, b, c, d, u64::from(take.number)]), take);
    match run.status {
        Status::Failed => run.failure = Some(dice.phrase(FAILURES)),
        Status::Finished => tell(world, at, engine, shift, &mut run, dice),
        _ => {}
    }
    Some(run)
}

/// Open runs are found on the newest day only, and only until the day is settled; a bad day of an engine fails many.
fn status(world: &World, at: Coordinates, take: Take, habits: &Habits, dice: &mut Dice) -> Status {
    let [a, b, c, d] = at.places();
    if at.day == world.last_day && !take.settled {
        match world.dice(purpose::OPEN, &[a, b, c, d]).below(100) {
            throw if throw < WAITING => return Status::Pending,
            throw if throw < WAITING + AT_WORK => return Status::Running,
            _ => {}
        }
    }
    let bad_day = world.dice(purpose::INCIDENT, &[b, d]).below(45) == 0;
    let failure = if bad_day { 0.35 } else { habits.failure };
    if dice.chance(failure) { Status::Failed } else { Status::Finished }
}

/// Runs are made in the night and worked off within the day; a later take is worked off an hour later.
fn clock(run: &mut WorldRun<'_>, mut dice: Dice, take: Take) {
    let second = |from: Timestamp, offset: usize| {
        Timestamp::from_second(from.as_second() + i64::try_from(offset).unwrap_or(0)).unwrap_or(from)
    };
    let again = usize::try_from(take.number.min(20)).unwrap_or(0) * 3_600;
    run.created_at = second(run.day.start(), 300 + run.prompt % 600);
    let started = second(run.created_at, 5 + again + dice.below(3_000));
    let finished = second(started, 4 + dice.below(170));
    let attempts = if dice.below(12) == 0 { 2 } else { 1 };
    match run.status {
        Status::Pending => {}
        Status::Finished | Status::Failed => {
            run.attempts = if run.status == Status::Failed { 3 } else { attempts };
            run.started_at = Some(started);
            run.finished_at = Some(finished);
            run.cost_milli_cents = Some(120 + u32::try_from(dice.below(900)).unwrap_or(0));
        }
        _ => {
            run.attempts = attempts;
            run.started_at = Some(started);
        }
    }
}

/// Decides whom the answer names and what it cites, and has it written.
fn tell(world: &World, at: Coordinates, engine: &Engine, shift: Shift, run: &mut WorldRun<'_>, mut dice: Dice) {
    let Some(project) = world.projects.get(at.project) else { return };
    let count = project.brands.len();
    let appeal = project.appeal.iter().skip(at.prompt * count).take(count);
    let taste = project.taste.iter().skip(at.engine * count).take(count);
    let mut named: Vec<(f64, usize)> = Vec::with_capacity(8);
    for (brand, (appeal, taste)) in appeal.zip(taste).enumerate() {
        let told = match brand.checked_sub(1) {
            None => shift.own,
            Some(rival) => shift.rivals + story::rise(rival, count.saturating_sub(1), at.day),
        };
        let log_odds = appeal + taste + told + engine.habits.eagerness;
        if dice.chance(story::probability(log_odds)) {
            // The likelier a brand, the earlier it is named, more or less.
            named.push((log_odds + 2.0 * dice.unit(), brand));
        }
    }
    named.sort_by(|a, b| b.0.total_cmp(&a.0));
    let named: Vec<usize> = named.into_iter().map(|(_, brand)| brand).collect();

    let web = dice.chance(engine.habits.web);
    let links = if web { dice.count(engine.links * shift.links) } else { 0 };
    let place_of_links = Web {
        brands: &project.brands,
        hosts: &world.hosts,
        slugs: project.theme.slugs,
        prompt_seed: world.dice(purpose::WEB, &[place(at.project), place(at.prompt)]).word(),
        tracking: engine.habits.tracking,
    };
    let links = links::plan(&place_of_links, &named, links, &mut dice);
    let length =
        world.size.answer_bytes * engine.habits.length / 100 * shift.length / 100 * (60 + dice.below(80)) / 100;
    let brief = Brief {
        theme: project.theme,
        brands: &project.brands,
        named,
        links,
        style: engine.habits.style,
        table: dice.chance(engine.habits.tables),
        odd: dice.chance(engine.habits.odd),
        length,
    };
    let answer = answer::write(brief, dice);
    run.answer = Some(answer.text);
    run.citations = answer.citations;
    run.mentions = answer.mentions;
    run.web_search = Some(web);
}
