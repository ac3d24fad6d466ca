//! The world as a tracker: each of its projects is one of Lunary's, and there are two more, one without runs and one of
//! another organisation.

use super::{
    company,
    ids::Place,
    messages::{self, Shape},
    names::{has_price, model_name},
    tracker::{Project, Run, Template, Tracker, User},
};
use crate::{
    demo::{
        rng::{Dice, place, uuid},
        world::{Take, World, WorldRun},
    },
    model::{Day, Status},
};
use jiff::ToSpan as _;
use serde_json::{Value, json};
use std::sync::Arc;

/// The organisation of the world's projects; the next one is strangers'.
const OWN: u32 = 1;
/// What the dice for a run are thrown for.
const RUN: u64 = 0x10a;
/// The day on which the strangers' few runs began, and all users were first heard of.
const LONG_AGO: i32 = 20_454;
/// Users of each project.
const USERS: usize = 3;

/// Serves a [`World`].
#[derive(Clone, Debug)]
pub struct WorldTracker {
    world: Arc<World>,
    projects: Vec<Project>,
}

impl WorldTracker {
    /// A tracker of this world.
    #[must_use]
    pub fn new(world: Arc<World>) -> Self {
        let project = |ix: usize, name: &str, organisation: u32| Project {
            id: uuid(world.seed(), &[1, place(ix)]),
            name: name.to_owned(),
            organisation,
            private_key: uuid(world.seed(), &[2, place(ix)]),
        };
        let count = world.project_count();
        let mut projects: Vec<Project> = (0..count).map(|ix| project(ix, world.project_name(ix), OWN)).collect();
        projects.push(project(count, "Hollowpine", OWN));
        projects.push(project(count + 1, "Strangersea", OWN + 1));
        Self { world, projects }
    }

    /// The world behind it.
    #[must_use]
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// The project without runs, by place; the one of another organisation is next.
    #[must_use]
    pub fn empty_project(&self) -> usize {
        self.world.project_count()
    }

    /// The id of the run that a run of the world is, by its coordinates.
    #[must_use]
    pub fn run_id(&self, project: usize, day: Day, prompt: usize, engine: usize) -> String {
        Place { project, day, prompt, engine, part: 0 }.id(self.world.seed())
    }

    fn user(&self, project: usize, n: usize) -> User {
        let (name, props) = match n % USERS {
            0 => ("u-anna", json!({ "country_code": "DE", "name": "Anna" })),
            1 => ("user with space & ünïcode", json!({ "vip": true })),
            _ => ("u-chen", Value::Null),
        };
        let number = i64::try_from(project * USERS + n % USERS + 1).unwrap_or(i64::MAX);
        User {
            id: number,
            external_id: name.to_owned(),
            created_at: Day::from_epoch_days(LONG_AGO).start(),
            // Moves on as long as the user goes on calling, on all rows of the user.
            last_seen: self.world.days().last.start(),
            props,
        }
    }

    /// What a run was made from: of every fifth prompt but two, a template of its own.
    fn template(project: usize, prompt: usize) -> Option<Template> {
        let id = i64::try_from(project * 10_000 + prompt + 1).ok()?;
        let slug = format!("visibility-p{:02}", prompt + 1);
        (prompt % 5 == 2).then(|| Template { id, version: id * 10 + 1, slug })
    }

    fn run(&self, run: &WorldRun<'_>) -> Run {
        let day = u64::from(run.day.epoch_days().unsigned_abs());
        let coordinates = [RUN, place(run.project), day, place(run.prompt), place(run.engine)];
        let mut dice = Dice::at(self.world.seed(), &coordinates);
        // Of one prompt in eight all engines are asked in the same instant.
        let micros = if run.prompt % 8 == 5 { 3_000_000 } else { 1_000 * dice.below(2_700_000) + dice.below(1_000) };
        let micros = i64::try_from(micros).unwrap_or(0);
        let created_at = run.created_at.checked_add(micros.microseconds()).unwrap_or(run.created_at);
        let millis = i64::try_from(900 + dice.below(40_000)).unwrap_or(0);
        let name = model_name(run.engine_name, run.model, run.prompt);
        let id = self.run_id(run.project, run.day, run.prompt, run.engine);
        let (input, shape) = (messages::input(run.prompt_text, &mut dice), Shape::thrown(&mut dice));
        let mut made = Run {
            parent: self.parent(run),
            is_public: dice.below(50) == 0,
            template: Self::template(run.project, run.prompt),
            tags: Some(tags(&mut dice)),
            input,
            params: json!({ "max_tokens": 1_024, "temperature": dice.pick(&[0.0, 0.7, 1.0]).map(|t| json!(t)) }),
            metadata: self.metadata(run, &mut dice),
            user: Some(dice.below(4)).filter(|n| *n < USERS).map(|n| self.user(run.project, n)),
            ..Run::started(&id, &name, created_at, "")
        };
        match run.status {
            Status::Finished => {
                made.status = Some("success".to_owned());
                made.output = messages::output(run, shape);
                made.cost = run.cost_milli_cents.filter(|_| has_price(&name)).map(|cost| f64::from(cost) / 1e5);
                made.completion_tokens = i64::try_from(run.answer.as_ref().map_or(0, String::len) / 4).ok();
                made.feedback = feedback(&mut dice);
                judge(&mut made, &mut dice);
            }
            Status::Failed => {
                made.status = Some("error".to_owned());
                made.error = messages::error(run.failure.unwrap_or("unknown"), &mut dice);
            }
            _ => return made,
        }
        made.prompt_tokens = i64::try_from(12 + run.prompt_text.len() / 4).ok();
        made.ended_at = created_at.checked_add(millis.milliseconds()).ok();
        made
    }

    /// Most runs stand alone. Those of the first prompt lie under a chain, one of the second under two chats.
    fn parent(&self, run: &WorldRun<'_>) -> Option<String> {
        let day = Place { project: run.project, day: run.day, prompt: 0, engine: 0, part: 0 };
        match (run.prompt, run.engine) {
            (0, _) => Some(company::chain(day, self.world.seed())),
            (1, 0) => Some(company::inner_chat(day, self.world.seed())),
            _ => None,
        }
    }

    fn metadata(&self, run: &WorldRun<'_>, dice: &mut Dice) -> Value {
        let mut metadata = json!({
            "topic": run.topic,
            "region": self.world.location(run.project),
            "prompt_id": format!("p{:02}", run.prompt + 1),
            "attempt": run.attempts,
            "web_search": run.web_search.unwrap_or(false),
        });
        let urls: Vec<&str> = run.citations.iter().map(|citation| citation.url.as_str()).collect();
        if let Some(metadata) = metadata.as_object_mut().filter(|_| dice.below(5) == 0 && !urls.is_empty()) {
            metadata.insert("citations".to_owned(), json!(urls));
        }
        metadata
    }

    /// Runs that a key of the world's organisation must never see.
    fn strangers(&self, project: usize, day: Day) -> Vec<Run> {
        let run = |prompt: usize| {
            let id = Place { project, day, prompt, engine: 0, part: 0 }.id(self.world.seed());
            let ended_at = day.start().checked_add(2.seconds()).unwrap_or(day.start());
            Run::started(&id, "gpt-4o", day.start(), "What do strangers ask?").answered(ended_at, "Nothing of yours.")
        };
        (0..3).map(run).collect()
    }
}

fn tags(dice: &mut Dice) -> Vec<String> {
    let more = dice.phrase(&["", "", "weekly", "v1.2", "tag with space", "experiment,a"]);
    ["visibility", more].into_iter().filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

fn feedback(dice: &mut Dice) -> Value {
    match dice.below(24) {
        0 => json!({ "thumb": "up" }),
        1 => json!({ "thumb": "down", "comment": "Brand missing from the answer" }),
        2 => json!({ "comment": "Checked by hand" }),
        3 => json!({ "score": 4, "flags": ["too_long"] }),
        _ => Value::Null,
    }
}

/// What people and evaluators said of a few runs.
fn judge(run: &mut Run, dice: &mut Dice) {
    match dice.below(16) {
        0 => run.scores.push(json!({ "label": "accuracy", "value": 0.8, "comment": null })),
        1 => run.scores.push(json!({ "label": "tone", "value": "neutral", "comment": "By hand" })),
        2 => run
            .enrichments
            .push((uuid(RUN, &[1]), json!({ "input": [], "output": [{ "label": "neutral", "score": 0.7 }] }))),
        3 => run.toxic = Some((false, false)),
        _ => {}
    }
}

impl Tracker for WorldTracker {
    fn projects(&self) -> &[Project] {
        &self.projects
    }

    fn days(&self, project: usize) -> Vec<Day> {
        let days = self.world.days();
        match project.checked_sub(self.world.project_count()) {
            None => (0..days.days()).map(|i| days.first.plus(i)).collect(),
            Some(1) => vec![Day::from_epoch_days(LONG_AGO)],
            Some(_) => Vec::new(),
        }
    }

    fn runs(&self, project: usize, day: Day, settled: bool) -> Vec<Run> {
        if project > self.world.project_count() {
            return if self.days(project).contains(&day) { self.strangers(project, day) } else { Vec::new() };
        }
        let take = Take { number: 0, settled };
        let mut runs: Vec<Run> = (0..self.world.prompt_count(project))
            .flat_map(|prompt| (0..self.world.engine_count()).map(move |engine| (prompt, engine)))
            .filter_map(|(prompt, engine)| self.world.run_take(project, day, prompt, engine, take))
            .map(|run| self.run(&run))
            .collect();
        if !runs.is_empty() {
            let at = Place { project, day, prompt: 0, engine: 0, part: 0 };
            runs.extend(company::company(at, self.world.seed(), &self.user(project, 0)));
        }
        runs
    }

    fn find(&self, id: &str) -> Option<(usize, Day)> {
        Place::of(self.world.seed(), id).map(|place| (place.project, place.day))
    }

    fn templates(&self, project: usize) -> Vec<Value> {
        let prompts = self.world.prompts(project).iter().enumerate();
        let template = prompts.filter_map(|(n, prompt)| Some((Self::template(project, n)?, prompt)));
        let row = |(template, prompt): (Template, &crate::demo::world::WorldPrompt)| {
            let made = Day::from_epoch_days(LONG_AGO).start().to_string();
            let content = json!([{ "role": "user", "content": prompt.text }]);
            json!({
                "id": template.id,
                "slug": template.slug,
                "name": prompt.topic,
                "mode": "openai",
                "createdAt": made,
                "versions": [{ "id": template.version, "version": 1, "isDraft": false, "content": content, "createdAt": made }],
            })
        };
        template.map(row).collect()
    }
}
