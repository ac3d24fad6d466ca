//! The tools of a server: one explicit list, in the order a person would read it.

use super::{
    Backend, Documents, Hints, Lane, Limits, Plan, Principal, Stop, Tool, ToolCx, ToolError,
    answer::Rendered,
    arguments,
    error::shown,
    nearest, page,
    schema::{self, Object},
};
use crate::store::CancelFlag;
use serde_json::Value;
use std::{
    any::Any,
    collections::BTreeSet,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

// Clients cut longer descriptions.
const DESCRIPTION_CHARS: usize = 2_000;
const NAME_CHARS: usize = 64;

/// What may be meant by an argument's first letters, given the arguments that are filled in already.
pub type Complete = fn(&ToolCx<'_>, argument: &str, others: &Object) -> Result<Vec<String>, ToolError>;

/// The tools of a server, and what is made of them: plans and documents.
#[derive(Clone, Default)]
pub struct Registry {
    entries: Vec<Arc<Entry>>,
    duplicates: Vec<&'static str>,
    plans: &'static [Plan],
    documents: &'static [Documents],
    complete: Option<Complete>,
}

/// A tool as its callers see it.
#[derive(Clone, Debug)]
pub struct ToolInfo {
    /// The name to call it by.
    pub name: &'static str,
    /// The name that people see.
    pub title: &'static str,
    /// The words that the model reads.
    pub description: &'static str,
    /// What it does to the world.
    pub hints: Hints,
    /// The schema of its arguments.
    pub input_schema: Arc<Object>,
    /// The schema of its answers.
    pub output_schema: Arc<Object>,
    page: &'static str,
}

impl ToolInfo {
    /// The arguments of the page's example.
    ///
    /// # Errors
    /// Why the page has none.
    pub fn example(&self) -> Result<Object, String> {
        page::example(self.page)
    }
}

type Run = fn(&ToolCx<'_>, &Entry, &Object, usize) -> Result<Rendered, ToolError>;

/// A tool without its types.
pub(super) struct Entry {
    pub(super) info: ToolInfo,
    pub(super) lane: Lane,
    /// Did its last run take longer than the first lane gives?
    slow: AtomicBool,
    run: Run,
}

impl Entry {
    fn of<T: Tool>() -> Self {
        let info = ToolInfo {
            name: T::NAME,
            title: T::TITLE,
            description: page::description(T::PAGE),
            hints: T::HINTS,
            input_schema: Arc::new(schema::input::<T::Params>()),
            output_schema: Arc::new(schema::output::<T::Answer>()),
            page: T::PAGE,
        };
        Self { info, lane: T::LANE, slow: AtomicBool::new(false), run: run::<T> }
    }

    /// Is a run expected to be more than the first lane has time for?
    pub(super) fn is_slow(&self) -> bool {
        self.lane != Lane::Fast || self.slow.load(Ordering::Relaxed)
    }

    /// Takes note of how the last run went.
    pub(super) fn note_slow(&self, slow: bool) {
        self.slow.store(slow, Ordering::Relaxed);
    }

    /// Reads the arguments, runs the tool once and renders its answer; a panic in it is a fault of ours like any other.
    pub(super) fn run(&self, cx: &ToolCx<'_>, arguments: &Object, limits: Limits) -> Result<Rendered, ToolError> {
        // What a panic leaves half done is a reader, which is dropped with it.
        let run = AssertUnwindSafe(|| (self.run)(cx, self, arguments, limits.chars()));
        catch_unwind(run).unwrap_or_else(|panic| {
            Err(ToolError::internal(&format_args!("{} panicked: {}", self.info.name, panic_words(panic.as_ref()))))
        })
    }
}

fn panic_words(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("?")
}

fn run<T: Tool>(cx: &ToolCx<'_>, entry: &Entry, arguments: &Object, max_chars: usize) -> Result<Rendered, ToolError> {
    let params = arguments::parse(T::NAME, arguments, &entry.info.input_schema)?;
    Rendered::of(&T::call(cx, params)?, max_chars)
}

impl Registry {
    /// No tools yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tool at the end. A second tool of the same name is left out and is one of the [`Registry::problems`].
    #[must_use]
    pub fn with<T: Tool>(mut self) -> Self {
        if self.find(T::NAME).is_ok() {
            self.duplicates.push(T::NAME);
        } else {
            self.entries.push(Arc::new(Entry::of::<T>()));
        }
        self
    }

    /// Adds plans and documents, and what completes their arguments. Those whose tools are not here are not shown.
    #[must_use]
    pub fn with_guides(self, plans: &'static [Plan], documents: &'static [Documents], complete: Complete) -> Self {
        Self { plans, documents, complete: Some(complete), ..self }
    }

    /// The plans whose tools are all here.
    pub fn plans(&self) -> impl Iterator<Item = &'static Plan> {
        self.plans.iter().filter(|plan| plan.is_possible(self))
    }

    /// The kinds of documents whose tool is here.
    pub fn documents(&self) -> impl Iterator<Item = &'static Documents> {
        self.documents.iter().filter(|documents| self.find(documents.tool).is_ok())
    }

    pub(super) fn complete(&self) -> Option<Complete> {
        self.complete
    }

    /// The tools that a person chose: those of `only`, or all where it is empty, but none of `except`.
    ///
    /// # Errors
    /// [`UnknownTool`] where a name is no tool's.
    pub fn choose<S: AsRef<str>>(&self, only: &[S], except: &[S]) -> Result<Self, UnknownTool> {
        for name in only.iter().chain(except) {
            self.find(name.as_ref())?;
        }
        let is_in = |names: &[S], entry: &Entry| names.iter().any(|name| name.as_ref() == entry.info.name);
        let mut chosen = self.clone();
        chosen.entries.retain(|entry| (only.is_empty() || is_in(only, entry)) && !is_in(except, entry));
        Ok(chosen)
    }

    /// The tools, in order.
    pub fn tools(&self) -> impl Iterator<Item = &ToolInfo> {
        self.entries.iter().map(|entry| &entry.info)
    }

    /// Answers one call in this thread, with the limits of a server, as the command line does.
    ///
    /// # Errors
    /// What a caller of the server would be told.
    pub fn call(&self, name: &str, arguments: &Object, backend: &Backend, limits: Limits) -> Result<Value, ToolError> {
        let entry = self.find(name)?;
        let total = limits.of(entry.lane);
        let owner = Arc::new(Principal::owner());
        let cx = backend.limited(&owner, Some(Instant::now() + total), CancelFlag::default(), None);
        match entry.run(&cx, arguments, limits) {
            Err(ToolError::Stopped(_)) => Err(ToolError::Stopped(Stop::Time(total))),
            done => done.map(|answer| answer.value),
        }
    }

    /// What is wrong with the tools as a set and one by one; empty is what a test asks for.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> =
            self.duplicates.iter().map(|name| format!("{name} is registered twice")).collect();
        let mut titles = BTreeSet::new();
        for entry in &self.entries {
            let info = &entry.info;
            let mut found = schema::input_problems(&info.input_schema);
            found
                .extend(schema::output_problems(&info.output_schema).into_iter().map(|text| format!("answer: {text}")));
            found.extend(info.example().err());
            let snake = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if info.name.is_empty() || info.name.len() > NAME_CHARS || !info.name.chars().all(snake) {
                found.push(format!("the name is not snake case of at most {NAME_CHARS} letters"));
            }
            if info.title.is_empty() || !titles.insert(info.title) {
                found.push("the title is empty or another tool's".into());
            }
            let chars = info.description.chars().count();
            if chars == 0 || chars > DESCRIPTION_CHARS || info.description.starts_with('#') {
                found.push(format!("the description is empty, begins with a heading or exceeds {DESCRIPTION_CHARS}"));
            }
            problems.extend(found.into_iter().map(|text| format!("{}: {text}", info.name)));
        }
        problems
    }

    pub(super) fn find(&self, name: &str) -> Result<&Arc<Entry>, UnknownTool> {
        self.entries.iter().find(|entry| entry.info.name == name).ok_or_else(|| {
            let names: Vec<&'static str> = self.entries.iter().map(|entry| entry.info.name).collect();
            UnknownTool {
                given: name.to_owned(),
                nearest: nearest(name, names.iter().copied(), 1).first().map(|near| (*near).to_owned()),
                names,
            }
        })
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries.iter().map(|entry| entry.info.name)).finish()
    }
}

/// A name that is no tool's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownTool {
    given: String,
    nearest: Option<String>,
    names: Vec<&'static str>,
}

impl fmt::Display for UnknownTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no tool {}", shown(&self.given))?;
        match &self.nearest {
            Some(near) => write!(f, "; did you mean {near}? Tools: ")?,
            None => write!(f, "; tools: ")?,
        }
        f.write_str(&self.names.join(", "))
    }
}

impl std::error::Error for UnknownTool {}

impl From<UnknownTool> for ToolError {
    fn from(error: UnknownTool) -> Self {
        Self::invalid(error.to_string(), "")
    }
}
