//! Which runs of a project count: by type, tag, person, template, model and name.

use super::glob::Glob;
use xxhash_rust::xxh3::xxh3_64;

/// Which runs count: those that every list with something in it agrees to. The API's own filters are not used for it:
/// they take other spellings than a run shows, and drop what they do not understand without a word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunFilter {
    /// Types of runs, such as `llm` or `agent`.
    pub types: Vec<String>,
    /// Tags, of which a run has at least one.
    pub tags: Vec<String>,
    /// External ids of people.
    pub users: Vec<String>,
    /// Slugs of templates.
    pub templates: Vec<String>,
    /// Models; `*` stands for any text.
    pub models: Vec<String>,
    /// Names of runs; `*` stands for any text.
    pub names: Vec<String>,
}

/// The type of a model call, which the list is made for.
pub(super) const LLM: &str = "llm";

impl Default for RunFilter {
    fn default() -> Self {
        let none = Vec::new;
        Self {
            types: vec![LLM.to_owned()],
            tags: none(),
            users: none(),
            templates: none(),
            models: none(),
            names: none(),
        }
    }
}

/// What of a run the filter looks at, besides its type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traits<'a> {
    pub(super) tags: &'a [&'a str],
    pub(super) user: Option<&'a str>,
    pub(super) template: Option<&'a str>,
    pub(super) model: Option<&'a str>,
    pub(super) name: Option<&'a str>,
}

/// The filter, ready for use.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    given: RunFilter,
    models: Vec<Glob>,
    names: Vec<Glob>,
}

impl Filter {
    pub(super) fn new(mut given: RunFilter) -> Self {
        if given.types.is_empty() {
            given.types = RunFilter::default().types;
        }
        let globs = |patterns: &[String]| patterns.iter().map(|pattern| Glob::of(pattern)).collect();
        Self { models: globs(&given.models), names: globs(&given.names), given }
    }

    /// Does a type count? A run without one is what the list is made for.
    pub(super) fn admits_type(&self, kind: Option<&str>) -> bool {
        let kind = kind.unwrap_or(LLM);
        self.given.types.iter().any(|wanted| wanted == kind || wanted == "*")
    }

    /// Does the rest of a run?
    pub(super) fn admits(&self, run: Traits<'_>) -> bool {
        let has = |wanted: &[String], value: Option<&str>| {
            wanted.is_empty() || value.is_some_and(|value| wanted.iter().any(|wanted| wanted == value))
        };
        let is_like = |wanted: &[Glob], value: Option<&str>| {
            wanted.is_empty() || value.is_some_and(|value| wanted.iter().any(|glob| glob.matches(value)))
        };
        let tagged =
            self.given.tags.is_empty() || self.given.tags.iter().any(|wanted| run.tags.iter().any(|tag| tag == wanted));
        tagged
            && has(&self.given.users, run.user)
            && has(&self.given.templates, run.template)
            && is_like(&self.models, run.model)
            && is_like(&self.names, run.name)
    }

    /// Is it only runs of type `llm`, whatever else is asked of them?
    pub(super) fn is_llm_only(&self) -> bool {
        self.given.types == [LLM]
    }

    /// Is every run of type `llm` wanted, and no other?
    pub(super) fn is_default(&self) -> bool {
        self.given == RunFilter::default()
    }

    /// Another one for another filter.
    pub(super) fn hash(&self) -> u64 {
        xxh3_64(format!("{:?}", self.given).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_counts_when_every_list_agrees() {
        let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let run = Traits {
            tags: &["weekly", "uk"],
            user: Some("u-1"),
            template: None,
            model: Some("gpt-4o-mini"),
            name: Some("gpt-4o-mini"),
        };
        let filter = |change: &dyn Fn(&mut RunFilter)| {
            let mut filter = RunFilter::default();
            change(&mut filter);
            Filter::new(filter)
        };
        assert!(filter(&|_| {}).admits(run) && filter(&|_| {}).is_default());
        assert!(filter(&|f| f.tags = list(&["uk", "de"])).admits(run));
        assert!(!filter(&|f| f.tags = list(&["de"])).admits(run));
        assert!(filter(&|f| f.users = list(&["u-1"])).admits(run));
        assert!(!filter(&|f| f.users = list(&["U-1"])).admits(run));
        assert!(!filter(&|f| f.templates = list(&["t"])).admits(run));
        assert!(filter(&|f| f.models = list(&["claude*", "GPT-*"])).admits(run));
        assert!(
            !filter(&|f| {
                f.models = list(&["gpt-*"]);
                f.names = list(&["other"]);
            })
            .admits(run)
        );
        assert!(filter(&|_| {}).admits_type(Some("llm")) && filter(&|_| {}).admits_type(None));
        assert!(!filter(&|_| {}).admits_type(Some("agent")));
        let both = filter(&|f| f.types = list(&["llm", "agent"]));
        assert!(both.admits_type(Some("agent")) && !both.is_llm_only() && !both.admits_type(Some("tool")));
        assert!(filter(&|f| f.types = list(&["*"])).admits_type(Some("embed")));
        assert!(filter(&|f| f.types = vec![]).is_default());
    }
}
