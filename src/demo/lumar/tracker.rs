//! What the server serves: a small trait, and its records.

use crate::{
    demo::{prose::count_names, world::Take},
    model::{BrandKind, Day, DayRange, Status, host_of},
};
use jiff::Timestamp;

/// Data to serve. Equal arguments must give equal answers: the server asks again whenever it needs something.
///
/// Brands, prompts and projects are named by their place in [`Tracker::projects`], everything else by its number.
pub trait Tracker: Send + Sync {
    /// Every account, the user's and strangers'.
    fn accounts(&self) -> &[Account];

    /// Every project of every account. Numbers of projects, brands, prompts and runs are each unique in the server.
    fn projects(&self) -> &[Project];

    /// The runs of a prompt on a day, in any order. Another take is other runs, with numbers of their own; a tracker
    /// without takes gives none for those after the first.
    fn runs(&self, project: usize, prompt: usize, day: Day, take: Take) -> Vec<Run>;

    /// Where the run of this number is. Without a quicker way, every day of every prompt is searched, first takes only.
    fn find(&self, run: u64) -> Option<Place> {
        self.projects().iter().enumerate().find_map(|(project, about)| {
            (0..about.prompts.len()).find_map(|prompt| {
                (0..about.days.days()).map(|i| about.days.first.plus(i)).find_map(|day| {
                    let runs = self.runs(project, prompt, day, Take::default());
                    runs.iter().any(|found| found.id == run).then_some(Place { project, prompt, day })
                })
            })
        })
    }
}

/// Where runs are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    /// The project.
    pub project: usize,
    /// The prompt, in its project.
    pub prompt: usize,
    /// The UTC day.
    pub day: Day,
}

/// An account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Does it belong to somebody else than the keys' owner?
    pub foreign: bool,
}

/// A project: brands, and the prompts asked about them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Project {
    /// Its number.
    pub id: u64,
    /// The number of its account.
    pub account: u64,
    /// Its name.
    pub name: String,
    /// The names of the engines asked.
    pub engines: Vec<String>,
    /// Its brands, the own one first.
    pub brands: Vec<Brand>,
    /// Its prompts.
    pub prompts: Vec<Prompt>,
    /// The days that may have runs.
    pub days: DayRange,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A brand of a project.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Brand {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub kind: BrandKind,
    /// The domain whose citations are its own.
    pub domain: Option<String>,
    /// The number of the brand that it was merged into before the server began.
    pub merged_into: Option<u64>,
}

/// A prompt of a project.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Prompt {
    /// Its number.
    pub id: u64,
    /// The question.
    pub text: String,
    /// Its topic.
    pub topic: String,
}

/// A URL in an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Citation {
    /// The URL as it is written.
    pub url: String,
    /// Whose site it is, by place among the project's brands.
    pub brand: Option<usize>,
}

/// A brand that an answer names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mention {
    /// The brand, by place among the project's brands.
    pub brand: usize,
    /// How often.
    pub count: u32,
}

/// One prompt, sent to one engine at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// Its number.
    pub id: u64,
    /// The engine's name.
    pub engine: String,
    /// Where it is in its life.
    pub status: Status,
    /// When it was made.
    pub created_at: Timestamp,
    /// The answer; only when it is finished.
    pub answer: Option<String>,
    /// Why it failed; only when it did.
    pub failure: Option<String>,
    /// The URLs of the answer in order, as often as they are written.
    pub citations: Vec<Citation>,
    /// The brands that the answer names, in order of first appearance.
    pub mentions: Vec<Mention>,
    /// What the engine searched the web for, where that is known.
    pub searches: Option<Vec<String>>,
}

impl Run {
    /// A run that waits.
    #[must_use]
    pub fn pending(id: u64, engine: &str, created_at: Timestamp) -> Self {
        Self {
            id,
            engine: engine.to_owned(),
            status: Status::Pending,
            created_at,
            answer: None,
            failure: None,
            citations: Vec::new(),
            mentions: Vec::new(),
            searches: None,
        }
    }

    /// The run with its answer: whom it names and cites is read off the answer and the links, by names and domains.
    #[must_use]
    pub fn finished(mut self, project: &Project, answer: &str, links: Vec<String>) -> Self {
        let owner = |url: &str| {
            let host = host_of(url)?;
            let owns =
                |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
            project.brands.iter().position(|brand| brand.domain.as_deref().is_some_and(owns))
        };
        let names: Vec<Vec<&str>> = project.brands.iter().map(|brand| vec![brand.name.as_str()]).collect();
        let counts = count_names(answer, &names).into_iter().enumerate();
        self.status = Status::Finished;
        self.answer = Some(answer.to_owned());
        self.citations = links.into_iter().map(|url| Citation { brand: owner(&url), url }).collect();
        self.mentions = counts.filter(|(_, count)| *count > 0).map(|(brand, count)| Mention { brand, count }).collect();
        self
    }

    /// The run as one that failed, with the reason.
    #[must_use]
    pub fn failed(self, reason: &str) -> Self {
        Self { status: Status::Failed, failure: Some(reason.to_owned()), ..self }
    }
}
