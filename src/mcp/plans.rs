//! Plans: what the protocol calls prompts, for the jobs that people come back to. A plan names tools and their arguments.
//!
//! A plan's page is a Markdown file: what it is for, a list of its arguments, and text in which `{{tool key=value}}`
//! stands for a call. Arguments that the user gave are put into every call whose tool has them.

use super::{Registry, quote, schema::Object};
use serde_json::Value;

const GIVEN_CHARS: usize = 200;

/// A plan, declared.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Snake case, as clients call it.
    pub name: &'static str,
    /// As people see it.
    pub title: &'static str,
    /// Its page.
    pub page: &'static str,
}

/// A part of a plan's text.
#[derive(Debug, PartialEq)]
enum Part<'a> {
    Words(&'a str),
    Call { tool: &'a str, arguments: Object },
}

impl Plan {
    /// What it is for: the page up to its first heading.
    #[must_use]
    pub fn description(&self) -> &'static str {
        self.page.split("\n## ").next().unwrap_or_default().trim()
    }

    /// The arguments that it takes, each also an argument of tools.
    pub fn arguments(&self) -> impl Iterator<Item = &'static str> {
        self.section("Arguments").split_whitespace()
    }

    /// The plan in words, with these arguments in its calls.
    #[must_use]
    pub fn text(&self, registry: &Registry, given: &Object) -> String {
        let mut text = String::new();
        for part in parts(self.section("Plan")) {
            match part {
                Part::Words(words) => text.push_str(words),
                Part::Call { tool, arguments } => {
                    let arguments = Value::Object(self.filled(registry, tool, arguments, given));
                    text.push_str(&format!("`{tool}` with `{arguments}`"));
                }
            }
        }
        text
    }

    /// The calls that it names, with these arguments.
    #[must_use]
    pub fn calls(&self, registry: &Registry, given: &Object) -> Vec<(&'static str, Object)> {
        let call = |part: Part<'static>| match part {
            Part::Words(_) => None,
            Part::Call { tool, arguments } => Some((tool, self.filled(registry, tool, arguments, given))),
        };
        parts(self.section("Plan")).into_iter().filter_map(call).collect()
    }

    /// Are all its tools here?
    pub(super) fn is_possible(&self, registry: &Registry) -> bool {
        self.calls(registry, &Object::new()).iter().all(|(tool, _)| registry.find(tool).is_ok())
    }

    /// A call's arguments, with those given that its tool has.
    fn filled(&self, registry: &Registry, tool: &str, arguments: Object, given: &Object) -> Object {
        let mut filled = Object::new();
        if let Ok(entry) = registry.find(tool)
            && let Some(known) = entry.info.input_schema.get("properties").and_then(Value::as_object)
        {
            for name in self.arguments().filter(|name| known.contains_key(*name) && !arguments.contains_key(*name)) {
                if let Some(value) = given.get(name).and_then(Value::as_str).filter(|value| !value.trim().is_empty()) {
                    filled.insert(name.to_owned(), quote::line(value, GIVEN_CHARS).into());
                }
            }
        }
        filled.extend(arguments);
        filled
    }

    fn section(&self, title: &str) -> &'static str {
        let heading = |section: &&str| section.lines().next().is_some_and(|line| line.trim() == title);
        let section = self.page.split("\n## ").skip(1).find(heading).unwrap_or_default();
        section.split_once('\n').map_or("", |(_, text)| text.trim())
    }
}

fn parts(text: &'static str) -> Vec<Part<'static>> {
    let mut parts = Vec::new();
    for piece in text.split("{{") {
        let (call, words) = match piece.split_once("}}") {
            Some((call, words)) => (Some(call), words),
            None => (None, piece),
        };
        parts.extend(call.map(self::call));
        if !words.is_empty() {
            parts.push(Part::Words(words));
        }
    }
    parts
}

/// `tool key=value key=value`, where a value is JSON or a bare word.
fn call(text: &'static str) -> Part<'static> {
    let mut words = text.split_whitespace();
    let tool = words.next().unwrap_or_default();
    let pair = |word: &'static str| {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        (key.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into()))
    };
    Part::Call { tool, arguments: words.map(pair).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const PAGE: &str =
        "What moved.\n\n## Arguments\n\nproject period\n\n## Plan\n\nFirst {{look period=7d limit=3}}, then rest.\n";

    #[test]
    fn a_page_is_a_description_arguments_and_a_plan() {
        let plan = Plan { name: "week", title: "Week", page: PAGE };
        assert_eq!(plan.description(), "What moved.");
        assert_eq!(plan.arguments().collect::<Vec<_>>(), ["project", "period"]);
        let registry = Registry::new();
        let calls = plan.calls(&registry, &Object::new());
        assert_eq!(json!(calls), json!([["look", { "period": "7d", "limit": 3 }]]));
        assert_eq!(
            plan.text(&registry, &Object::new()),
            "First `look` with `{\"period\":\"7d\",\"limit\":3}`, then rest."
        );
        assert!(!plan.is_possible(&registry));
    }
}
