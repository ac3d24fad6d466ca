//! When a fault fires: by counting the requests that it is about, never by chance or time.

use super::lock;
use std::sync::Mutex;

/// When a fault fires, counted over the requests that it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// Every time.
    Always,
    /// For the next so many requests.
    Next(u32),
    /// For every so-manieth request: `Every(3)` hits the third, the sixth, ...
    Every(u32),
    /// Lets some pass, then hits some.
    After {
        /// How many pass.
        skip: u32,
        /// How many are hit then.
        count: u32,
    },
}

impl When {
    /// Does the so-manieth request (1 is the first) meet the fault?
    fn fires(self, seen: u32) -> bool {
        match self {
            Self::Always => true,
            Self::Next(count) => seen <= count,
            Self::Every(step) => step > 0 && seen.is_multiple_of(step),
            Self::After { skip, count } => seen > skip && seen - skip <= count,
        }
    }
}

#[derive(Debug)]
struct Rule<F> {
    target: String,
    fault: F,
    when: When,
    seen: u32,
}

/// Faults that are switched on, each with the requests it is about.
#[derive(Debug)]
pub(super) struct Rules<F>(Mutex<Vec<Rule<F>>>);

impl<F> Default for Rules<F> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<F: Clone> Rules<F> {
    pub(super) fn add(&self, target: &str, fault: F, when: When) {
        lock(&self.0).push(Rule { target: target.to_owned(), fault, when, seen: 0 });
    }

    pub(super) fn clear(&self) {
        lock(&self.0).clear();
    }

    /// The faults that a request meets, told which targets it is; counts it.
    pub(super) fn strike(&self, is_about: impl Fn(&str) -> bool) -> Vec<F> {
        let mut rules = lock(&self.0);
        let met = rules.iter_mut().filter(|rule| is_about(&rule.target)).filter_map(|rule| {
            rule.seen += 1;
            rule.when.fires(rule.seen).then(|| rule.fault.clone())
        });
        met.collect()
    }
}

/// Faults that are switched on by the path of a request.
#[derive(Debug)]
pub struct PathFaults<F> {
    rules: Rules<F>,
}

impl<F> Default for PathFaults<F> {
    fn default() -> Self {
        Self { rules: Rules::default() }
    }
}

impl<F: Clone> PathFaults<F> {
    /// Switches a fault on for paths that begin with `path`, given below the base (`/runs`); a `*` stands for any one
    /// segment (`/runs/*/related`), a `$` at the end for the end (`/runs/$` is the list alone), and the empty path for
    /// every request.
    pub fn inject(&self, path: &str, fault: F, when: When) {
        self.rules.add(path, fault, when);
    }

    /// Switches all faults off.
    pub fn clear(&self) {
        self.rules.clear();
    }

    /// The faults that this request meets; counts it.
    pub(super) fn strike(&self, path: &str) -> Vec<F> {
        self.rules.strike(|wanted| begins(path, wanted))
    }
}

/// Does the path begin with these segments, a `*` being any?
fn begins(path: &str, wanted: &str) -> bool {
    let segments = |path: &str| path.split('/').filter(|s| !s.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (mut wanted, given) = (segments(wanted), segments(path));
    let ends = wanted.pop_if(|last| last == "$").is_some();
    let long_enough = if ends { wanted.len() == given.len() } else { wanted.len() <= given.len() };
    long_enough && wanted.iter().zip(&given).all(|(want, give)| want == "*" || want == give)
}
