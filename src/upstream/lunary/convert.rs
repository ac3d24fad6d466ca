//! A run, from the wire to the model. No network, no clock.

use super::{
    contract::{STATUSES, USER, note_new_fields},
    engines::Engines,
    filter::{Filter, Traits},
    hash::hash_of,
    text::{question_of, take_answer, without_enrichments},
    urls::source_urls,
};
use crate::{
    model::{Day, PromptRecord, RunRecord, Status, Surface},
    upstream::fields::{DriftLog, Fields, Unreadable, clean},
};
use jiff::Timestamp;
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap};
use xxhash_rust::xxh3::xxh3_64;

const MAX_WORD: usize = 64;
/// Longer prompts are told apart by their hash.
const MAX_KEY: usize = 500;
/// Of runs that nobody asked anything.
const NO_PROMPT: &str = "(no prompt)";
/// Of failed runs that do not say why.
const NO_REASON: &str = "error without a text";

/// What runs are read by.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) engines: Engines,
    pub(super) filter: Filter,
    /// Sets the hashes of runs apart by what else than the run their record is made of.
    pub(super) salt: u64,
}

/// A row of a list, with what tells it from others.
#[derive(Debug)]
pub(super) struct Row<'a, 'd> {
    pub(super) raw: &'a str,
    pub(super) fields: Fields<'a, 'd>,
    pub(super) id: String,
    pub(super) created_at: Timestamp,
}

impl Settings {
    /// The run; none where it is one that does not count.
    pub(super) fn read(
        &self,
        row: &Row<'_, '_>,
        project: &str,
        drift: &DriftLog,
    ) -> Result<Option<RunRecord>, Unreadable> {
        let fields = &row.fields;
        if fields.opt_word("projectId").is_some_and(|id| !id.eq_ignore_ascii_case(project)) {
            return Err(Unreadable("it belongs to another project than the key".to_owned()));
        }
        let kind = fields.opt_word("type");
        if !self.filter.admits_type(kind.as_deref()) {
            return Ok(None);
        }
        note_new_fields(fields, drift);
        let mut values: BTreeMap<String, Value> =
            fields.entries().map(|(name, raw)| (name.to_owned(), value_of(raw.get()))).collect();
        let get = |name: &str| values.get(name).filter(|value| !value.is_null());
        let name = fields.opt_word("name").map(|name| clean(&name, 200)).filter(|name| !name.is_empty());
        let model = model_of(name.as_deref(), kind.as_deref(), get("params"));
        let template = get("templateSlug").and_then(word_of);
        let user = fields.opt_object("user", &USER).and_then(|user| user.opt_word("externalId").map(Cow::into_owned));
        let tags: Vec<&str> =
            get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let traits = Traits {
            tags: &tags,
            user: user.as_deref(),
            template: template.as_deref(),
            model: model.as_deref(),
            name: name.as_deref(),
        };
        if !self.filter.admits(traits) {
            return Ok(None);
        }

        let status = status_of(fields);
        let raw_hash = hash_of(&values) ^ self.salt;
        let prompt = prompt_of(template, get("templateVersionId"), get("input"));
        let failure_reason = (status == Status::Failed).then(|| reason_of(get("error")));
        let source_urls = source_urls(get("output"), get("metadata"));
        let mut output = values.remove("output").unwrap_or_default();
        let answer = take_answer(&mut output);
        Ok(Some(RunRecord {
            key: row.id.clone(),
            upstream_id: Some(row.id.clone()),
            prompt,
            engine: self.engines.engine_of(model.as_deref()),
            model,
            surface: Surface::Api,
            status,
            failure_reason,
            day: Day::of(row.created_at),
            created_at: row.created_at,
            started_at: Some(row.created_at),
            finished_at: fields.opt_instant("endedAt"),
            // What stood beside the answer in the output stays in the record.
            raw: if answer.is_some() { fields.raw_with("output", &output.to_string()) } else { row.raw.to_owned() },
            answer,
            citations: None,
            source_urls,
            total_citations: None,
            facts: vec![],
            web_search: None,
            cost_usd: fields.opt_number("cost"),
            raw_hash,
        }))
    }
}

/// A JSON value; one too deep to be read counts as its text.
fn value_of(raw: &str) -> Value {
    serde_json::from_str(raw).unwrap_or_else(|_| Value::String(raw.to_owned()))
}

/// The text of a text or a number, with something in it.
fn word_of(value: &Value) -> Option<String> {
    let word = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!word.is_empty()).then_some(word)
}

/// The model: of a model call its name, of other runs what their parameters say, if anything.
fn model_of(name: Option<&str>, kind: Option<&str>, params: Option<&Value>) -> Option<String> {
    let given = |params: &Value| ["model", "modelName", "modelId"].iter().find_map(|key| word_of(params.get(*key)?));
    let given = params.and_then(given).map(|model| clean(&model, 200)).filter(|model| !model.is_empty());
    let named = name.map(str::to_owned);
    if kind.is_none_or(|kind| kind == super::filter::LLM) { named.or(given) } else { given.or(named) }
}

fn status_of(run: &Fields<'_, '_>) -> Status {
    // Threads and chats have none.
    let Some(status) = run.opt_word("status") else { return Status::Unknown("none".to_owned()) };
    let status = clean(&status, MAX_WORD).to_lowercase();
    run.expect_one_of("status", &status, STATUSES);
    match status.as_str() {
        "started" => Status::Running,
        "success" => Status::Finished,
        "error" => Status::Failed,
        _ => Status::from(status),
    }
}

fn reason_of(error: Option<&Value>) -> String {
    let said = |error: &Value| {
        let inner =
            ["/message", "/error/message", "/error", "/detail"].iter().find_map(|at| word_of(error.pointer(at)?));
        match error {
            Value::String(text) => Some(text.trim().to_owned()),
            Value::Object(_) if inner.is_some() => inner,
            other => {
                let rest = without_enrichments(other);
                let is_empty = rest.as_object().is_some_and(serde_json::Map::is_empty)
                    || rest.as_array().is_some_and(Vec::is_empty);
                (!is_empty).then(|| rest.to_string())
            }
        }
    };
    error.and_then(said).filter(|reason| !reason.is_empty()).unwrap_or_else(|| NO_REASON.to_owned())
}

/// The prompt: its template, where it has one, else what was asked.
fn prompt_of(template: Option<String>, version: Option<&Value>, input: Option<&Value>) -> PromptRecord {
    let text = input.and_then(question_of).unwrap_or_else(|| NO_PROMPT.to_owned());
    let of_template = template.map(|slug| (format!("template:{slug}"), slug));
    let of_version = || version.and_then(word_of).map(|id| (format!("template-version:{id}"), id));
    let (key, label) = match of_template.or_else(of_version) {
        Some((key, label)) => (key, Some(clean(&label, 200))),
        None => (key_of(&text), None),
    };
    PromptRecord { key, text, topic: None, label }
}

/// The same for texts that differ in spaces and letter case alone.
fn key_of(text: &str) -> String {
    let key = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    if key.chars().count() > MAX_KEY { format!("text:{:016x}", xxh3_64(key.as_bytes())) } else { key }
}

#[cfg(test)]
mod tests;
