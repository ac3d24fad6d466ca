//! GraphQL documents: read from their files, and put together into one that asks many things at once.
//!
//! No type is named in what is sent but those of variables: most names of the schema are inferred. So there are no
//! fragments, and enum values stand in the documents themselves.

use serde_json::{Map, Value};
use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write as _,
};

/// One kind of question.
#[derive(Debug)]
pub(super) struct Document {
    /// What is asked for, in our words.
    pub(super) name: &'static str,
    /// The API's name of the record that it gives, for drift.
    pub(super) record: &'static str,
    /// The file.
    pub(super) text: &'static str,
    /// How many such questions go into one request.
    pub(super) most: usize,
    /// Fields without which an answer means nothing: never left out.
    needed: &'static [&'static str],
    /// Is it asked without a session?
    pub(super) open: bool,
}

macro_rules! document {
    ($file:literal, $name:literal, $record:literal, $most:literal, $needed:expr) => {
        Document {
            name: $name,
            record: $record,
            text: include_str!(concat!("documents/", $file, ".graphql")),
            most: $most,
            needed: $needed,
            open: false,
        }
    };
}

const PAGED: &[&str] = &["nodes", "nodes.id", "pageInfo", "pageInfo.hasNextPage", "pageInfo.endCursor"];

pub(super) static CREATE_SESSION: Document =
    Document { open: true, ..document!("create_session", "a session", "Session", 1, &["token"]) };
pub(super) static ME: Document =
    document!("me", "the accounts", "User", 1, &["accounts", "accounts.nodes", "accounts.nodes.id"]);
pub(super) static PROJECTS: Document = document!("projects", "projects", "AiVisibilityProjectListItem", 10, PAGED);
pub(super) static PROJECT: Document = document!("project", "the project", "AiVisibilityProject", 40, &["id"]);
pub(super) static BRANDS: Document = document!("brands", "brands", "AiVisibilityBrandListItem", 10, PAGED);
pub(super) static PROMPTS: Document = document!("prompts", "prompts", "AiVisibilityPromptListItem", 40, PAGED);
pub(super) static PROMPT_RUNS: Document = document!(
    "prompt_runs",
    "prompt runs",
    "AiVisibilityPromptRunListItem",
    50,
    &["nodes", "nodes.id", "nodes.createdAt", "nodes.status", "pageInfo", "pageInfo.hasNextPage", "pageInfo.endCursor"]
);
pub(super) static RUN_DETAILS: Document =
    document!("run_details", "prompt run details", "AiVisibilityPromptRunDetails", 40, &["fullAnswerText"]);
pub(super) static SCORES: Document = document!("scores", "scores", "AiVisibilityVisibilityScore", 40, &["date"]);

/// Arguments that a question can do without.
const SPARE_ARGUMENTS: &[&str] = &["orderBy", "first"];

/// The values of one question's variables, by their names in the file.
pub(super) type Variables = Vec<(&'static str, Value)>;

/// One request's document.
#[derive(Debug)]
pub(super) struct Assembled {
    pub(super) query: String,
    pub(super) variables: Map<String, Value>,
    /// The field of each line, where it is one that the file names.
    places: Vec<Option<String>>,
}

impl Assembled {
    /// The field at a line, 1 for the first.
    pub(super) fn place(&self, line: usize) -> Option<&str> {
        self.places.get(line.checked_sub(1)?)?.as_deref()
    }

    fn push(&mut self, line: &str, place: Option<&str>) {
        self.query.push_str(line);
        self.query.push('\n');
        self.places.push(place.map(str::to_owned));
    }
}

/// The alias of the question with this number.
pub(super) fn alias(number: usize) -> String {
    format!("a{number}")
}

/// A document taken apart.
#[derive(Debug)]
struct Shape {
    operation: &'static str,
    types: HashMap<&'static str, &'static str>,
    root: &'static str,
    arguments: Vec<(&'static str, &'static str)>,
    lines: Vec<Line>,
}

/// A line of a selection: a field, the opening of one, or its end.
#[derive(Debug)]
struct Line {
    text: &'static str,
    path: String,
    kind: LineKind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum LineKind {
    Field,
    Opening,
    End,
}

impl Document {
    /// Takes the file apart. It is our own, one field or argument a line, as a test checks.
    fn shape(&self) -> Shape {
        let text = self.text.trim_start_matches(|c| c != '\n').trim();
        let (header, body) = text.split_once('{').unwrap_or((text, ""));
        let operation = if header.starts_with("mutation") { "mutation" } else { "query" };
        let types = header
            .split(['(', ')', ',', '\n'])
            .filter_map(|part| part.trim().strip_prefix('$')?.split_once(':'))
            .map(|(name, kind)| (name.trim(), kind.trim()))
            .collect();
        let body = body.trim().strip_suffix('}').unwrap_or(body);
        let mut body = body.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = body.next().unwrap_or_default();
        let mut arguments = vec![];
        if first.ends_with('(') {
            let named = body.by_ref().take_while(|line| !line.starts_with(')'));
            arguments.extend(named.filter_map(|line| line.split_once(": ")));
        }
        let mut lines = vec![];
        let mut above: Vec<&str> = vec![];
        for text in body {
            if text == "}" {
                let path = above.join(".");
                if above.pop().is_some() {
                    lines.push(Line { text, path, kind: LineKind::End });
                }
                continue;
            }
            let name = text.split([' ', '(', '{']).next().unwrap_or(text);
            let mut path = above.clone();
            path.push(name);
            let path = path.join(".");
            let opens = text.ends_with('{');
            if opens {
                above.push(name);
            }
            lines.push(Line { text, path, kind: if opens { LineKind::Opening } else { LineKind::Field } });
        }
        Shape { operation, types, root: first.trim_end_matches(['(', '{', ' ']), arguments, lines }
    }

    /// One document with all these questions, without the fields and arguments that the server does not know.
    pub(super) fn assemble(&self, asks: &[Variables], dropped: &BTreeSet<String>, lower_case: bool) -> Assembled {
        let shape = self.shape();
        let selection = selection(&shape.lines, dropped);
        let mut declared: Vec<(String, &str, &Value)> = vec![];
        let mut body = Assembled { query: String::new(), variables: Map::new(), places: vec![] };
        for (number, ask) in asks.iter().enumerate() {
            let mut arguments = vec![];
            for (name, value) in &shape.arguments {
                if dropped.contains(&argument(name)) {
                    continue;
                }
                let Some(variable) = value.strip_prefix('$') else {
                    let is_word = value.bytes().all(|b| b.is_ascii_alphabetic());
                    let value = if lower_case && is_word { value.to_lowercase() } else { (*value).to_owned() };
                    arguments.push((*name, value));
                    continue;
                };
                let Some((_, value)) = ask.iter().find(|(name, _)| *name == variable) else { continue };
                let kind = shape.types.get(variable).copied().unwrap_or("String");
                // What many questions have in common, such as the account, is sent once.
                let known = declared.iter().position(|(_, k, v)| *k == kind && *v == value);
                let at = known.unwrap_or_else(|| {
                    declared.push((format!("v{}", declared.len()), kind, value));
                    declared.len() - 1
                });
                arguments.push((*name, format!("$v{at}")));
            }
            if arguments.is_empty() {
                body.push(&format!("{}: {} {{", alias(number), shape.root), None);
            } else {
                body.push(&format!("{}: {}(", alias(number), shape.root), None);
                for (name, value) in arguments {
                    body.push(&format!("{name}: {value}"), Some(&argument(name)));
                }
                body.push(") {", None);
            }
            for line in &selection {
                body.push(line.text, (line.kind != LineKind::End).then_some(&line.path));
            }
            body.push("}", None);
        }
        let mut header = shape.operation.to_owned();
        for (place, (name, kind, _)) in declared.iter().enumerate() {
            // Writing to a text cannot fail.
            let _ = write!(header, "{}${name}: {kind}", if place == 0 { "(" } else { ", " });
        }
        header.push_str(if declared.is_empty() { " {" } else { ") {" });
        let mut whole = Assembled { query: String::new(), variables: Map::new(), places: vec![] };
        whole.push(&header, None);
        whole.query.push_str(&body.query);
        whole.places.extend(body.places);
        whole.push("}", None);
        whole.variables = declared.into_iter().map(|(name, _, value)| (name, value.clone())).collect();
        whole
    }

    /// The fields and arguments that a refusal blames, as far as the question can do without them. `place` is the
    /// field at the line that the refusal names.
    pub(super) fn blamed(&self, message: &str, place: Option<&str>) -> Vec<String> {
        const SIGNS: &[&str] = &[
            "cannot query",
            "unknown",
            "undefined",
            "not defined",
            "doesn't exist",
            "does not exist",
            "have a selection",
            "not accept argument",
            "isn't defined",
        ];
        let text = message.to_lowercase().replace('’', "'");
        if !SIGNS.iter().any(|sign| text.contains(sign)) {
            return vec![];
        }
        let shape = self.shape();
        let about_argument = text.contains("argument");
        let keyword = if about_argument { "argument" } else { "field" };
        // Whatever the quotes are, a name is a word.
        let mut words = message.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        if !words.any(|word| word.to_lowercase().trim_end_matches('s') == keyword) {
            return vec![];
        }
        let Some(name) = words.find(|word| !word.eq_ignore_ascii_case("named")) else { return vec![] };
        if about_argument {
            let spare = SPARE_ARGUMENTS.contains(&name) && shape.arguments.iter().any(|(known, _)| *known == name);
            return if spare { vec![argument(name)] } else { vec![] };
        }
        let called = |path: &str| path.rsplit('.').next() == Some(name);
        if let Some(place) = place.filter(|place| called(place)) {
            return if self.needed.contains(&place) { vec![] } else { vec![place.to_owned()] };
        }
        let fields = shape.lines.iter().filter(|line| line.kind != LineKind::End && called(&line.path));
        let paths: Vec<String> = fields.map(|line| line.path.clone()).collect();
        if paths.iter().any(|path| self.needed.contains(&path.as_str())) { vec![] } else { paths }
    }

    /// Does a refusal blame the spelling of an enum value in this document?
    pub(super) fn blames_casing(&self, message: &str) -> bool {
        let shape = self.shape();
        let words = |text: &str| -> Vec<String> {
            text.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_lowercase).collect()
        };
        let said = words(message);
        let literal =
            |(_, value): &&(&str, &str)| value.bytes().all(|b| b.is_ascii_alphabetic()) && value.as_bytes() != b"";
        shape.arguments.iter().filter(literal).any(|(name, value)| {
            let (name, value) = (name.to_lowercase(), value.to_lowercase());
            said.iter().any(|word| *word == value || *word == name || word.ends_with(&name))
        })
    }
}

/// How a dropped argument is written, so that no field is taken for it.
fn argument(name: &str) -> String {
    format!("({name})")
}

/// The lines that are left: an object of which no field is left is not asked for.
fn selection<'a>(lines: &'a [Line], dropped: &BTreeSet<String>) -> Vec<&'a Line> {
    let gone = |path: &str| {
        let ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
        ends.into_iter().any(|end| path.get(..end).is_some_and(|part| dropped.contains(part)))
    };
    let fields: Vec<&str> = lines
        .iter()
        .filter(|line| line.kind == LineKind::Field && !gone(&line.path))
        .map(|line| line.path.as_str())
        .collect();
    let is_left = |line: &&Line| match line.kind {
        LineKind::Field => !gone(&line.path),
        _ => fields.iter().any(|field| field.strip_prefix(&*line.path).is_some_and(|rest| rest.starts_with('.'))),
    };
    lines.iter().filter(is_left).collect()
}

#[cfg(test)]
mod tests;
