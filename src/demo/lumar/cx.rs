//! What an answer is made from, and what the arguments of a root field name.

use super::{
    LumarOptions,
    auth::{Auth, Identity},
    figures::Board,
    ids::{self, kind},
    problem::Problem,
    request::Selected,
    state::State,
    tracker::{Place, Project, Tracker},
};
use crate::model::{Day, DayRange};
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Mutex;

/// What an answer is made from.
pub(super) struct Cx<'a> {
    pub(super) tracker: &'a dyn Tracker,
    pub(super) state: &'a mut State,
    pub(super) options: &'a LumarOptions,
    pub(super) auth: &'a Mutex<Auth>,
    pub(super) identity: Identity,
    pub(super) now: Timestamp,
}

/// An instant as the API writes it.
pub(super) fn instant(at: Timestamp) -> String {
    format!("{at:.3}")
}

impl<'a> Cx<'a> {
    /// There is no such thing, in the words that this server has for it.
    pub(super) fn missing(&self, what: &str) -> Problem {
        if self.options.missing_is_bad_input {
            Problem::input(format!("Invalid {what}."))
        } else {
            Problem::not_found(format!("The {what} was not found."))
        }
    }

    /// The number that an argument names. Queries of a single object also take it plain.
    fn number(root: &Selected, argument: &str, kind: &str) -> Result<u64, Problem> {
        let single =
            ["getAiVisibilityProject", "getAiVisibilityPromptRunDetails", "getAccount"].contains(&root.name.as_str());
        let number = match root.arguments.get(argument) {
            Some(Value::String(text)) => {
                ids::decode(kind, text).or_else(|| single.then(|| text.parse().ok()).flatten())
            }
            Some(Value::Number(number)) if single => number.as_u64(),
            _ => None,
        };
        number.ok_or_else(|| Problem::input(format!("\"{argument}\" is not a valid id.")))
    }

    /// The account that an argument names, if who asks may see it.
    pub(super) fn account(&self, root: &Selected, argument: &str) -> Result<u64, Problem> {
        let number = Self::number(root, argument, kind::ACCOUNT)?;
        let known = self.tracker.accounts().iter().any(|account| account.id == number && !account.foreign);
        let served = match self.identity {
            Identity::Service(own) => own == number,
            Identity::User => true,
            Identity::Nobody => false,
        };
        if known && served { Ok(number) } else { Err(Problem::forbidden("You have no access to this account.")) }
    }

    /// The project that the arguments name, by place.
    pub(super) fn project(&self, root: &Selected, account: u64) -> Result<(usize, &'a Project), Problem> {
        let number = Self::number(root, "aiVisibilityProjectId", kind::PROJECT)?;
        self.projects(account).find(|(_, project)| project.id == number).ok_or_else(|| self.missing("project"))
    }

    /// The projects of an account that are not deleted.
    pub(super) fn projects(&self, account: u64) -> impl Iterator<Item = (usize, &'a Project)> {
        let all = self.tracker.projects().iter().enumerate();
        all.filter(move |(_, project)| project.account == account && !self.state.is_gone(kind::PROJECT, project.id))
    }

    /// The prompt that the arguments name, by places.
    pub(super) fn prompt(&self, root: &Selected, account: u64) -> Result<(usize, &'a Project, usize), Problem> {
        let number = Self::number(root, "aiVisibilityPromptId", kind::PROMPT)?;
        self.projects(account)
            .find_map(|(ix, project)| {
                let prompt = project.prompts.iter().position(|prompt| prompt.id == number)?;
                Some((ix, project, prompt))
            })
            .filter(|_| !self.state.is_gone(kind::PROMPT, number))
            .ok_or_else(|| self.missing("prompt"))
    }

    /// The run that the arguments name: where it is, and its number.
    pub(super) fn run(&self, root: &Selected, account: u64) -> Result<(Place, &'a Project, u64), Problem> {
        let number = Self::number(root, "aiVisibilityPromptRunId", kind::RUN)?;
        let place = self.tracker.find(number).ok_or_else(|| self.missing("prompt run"))?;
        let project = self.projects(account).find(|(ix, _)| *ix == place.project);
        let prompt = |project: &Project| project.prompts.get(place.prompt).map(|prompt| prompt.id);
        project
            .map(|(_, project)| (place, project, number))
            .filter(|(_, project, _)| prompt(project).is_some_and(|prompt| !self.state.is_gone(kind::PROMPT, prompt)))
            .ok_or_else(|| self.missing("prompt run"))
    }

    /// The brand that the arguments name, by place: a merged variant is no brand any more. And which brand each counts as.
    pub(super) fn brand(&self, root: &Selected, project: &Project) -> Result<(usize, Vec<Option<usize>>), Problem> {
        let number = Self::number(root, "aiVisibilityBrandId", kind::BRAND)?;
        let roots = self.state.roots(project);
        let place = project.brands.iter().position(|brand| brand.id == number);
        let place = place.filter(|place| roots.get(*place) == Some(&Some(*place)));
        place.map(|place| (place, roots)).ok_or_else(|| self.missing("brand"))
    }

    /// The places of a project's prompts that are not deleted.
    pub(super) fn prompts(&self, project: &Project) -> Vec<usize> {
        let prompts = project.prompts.iter().enumerate();
        prompts.filter(|(_, prompt)| !self.state.is_gone(kind::PROMPT, prompt.id)).map(|(ix, _)| ix).collect()
    }

    /// The figures of some prompts over some days.
    pub(super) fn board(&mut self, project: usize, prompts: &[usize], days: &[Day], roots: &[Option<usize>]) -> Board {
        let mut board = Board::default();
        for prompt in prompts {
            for day in days {
                for facts in self.state.facts(Place { project, prompt: *prompt, day: *day }).iter() {
                    board.add(facts, roots);
                }
            }
        }
        board
    }

    /// Another run of each engine arrives for the prompt whose runs this field lists.
    pub(super) fn arrive(&mut self, root: &Selected) {
        let prompt = self.account(root, "accountId").and_then(|account| self.prompt(root, account));
        if let Ok((project, about, prompt)) = prompt {
            self.state.add_take(Place { project, prompt, day: about.days.last });
        }
    }
}

/// The days that `dateRange` names, both ends inside; none where it is not given.
pub(super) fn range(root: &Selected) -> Result<Option<DayRange>, Problem> {
    let Some(range) = root.arguments.get("dateRange").filter(|range| !range.is_null()) else { return Ok(None) };
    let day = |name: &str| {
        let text = range.get(name).and_then(Value::as_str).unwrap_or_default();
        let day = text.parse::<Day>().ok().or_else(|| text.parse::<Timestamp>().ok().map(Day::of));
        day.ok_or_else(|| Problem::input(format!("\"{name}\" of the date range is not a date.")))
    };
    let range = DayRange { first: day("start")?, last: day("end")? };
    if range.first > range.last {
        return Err(Problem::input("The date range ends before it starts."));
    }
    Ok(Some(range))
}

/// The days of a project inside a range, oldest first; without a range, all.
pub(super) fn days(project: &Project, range: Option<DayRange>) -> Vec<Day> {
    let own = project.days;
    let range = range.unwrap_or(own);
    let (first, last) = (own.first.max(range.first), own.last.min(range.last));
    (first.epoch_days()..=last.epoch_days()).map(Day::from_epoch_days).collect()
}
