//! A run as JSON: in a list, by itself, raw, and in an export.

use super::{
    json::{camel, enriched, shortened, shortened_input, unwrapped},
    list::Listed,
    tracker::{Run, User},
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// How a list shows its rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Style {
    /// Texts are cut.
    pub(super) shortened: bool,
    /// Threads have their first message and the number of their messages.
    pub(super) threads: bool,
    /// As exports have it: nothing is added to messages.
    pub(super) plain: bool,
}

/// A row of a list.
pub(super) fn listed(row: &Listed, project: &str, style: Style) -> Value {
    let run = &*row.run;
    let mut json = head(run, project);
    json.insert("parentFeedback".to_owned(), camel(&row.parent_feedback));
    let feedbacks = row.chats.as_ref().map(|chats| chats.iter().map(|chat| camel(&chat.feedback)).collect::<Vec<_>>());
    json.insert("feedbacks".to_owned(), json!(feedbacks));
    times(&mut json, run);
    json.insert("templateSlug".to_owned(), json!(run.template.as_ref().map(|template| &template.slug)));
    figures(&mut json, run);
    let toxic = |which: fn(&(bool, bool)) -> bool| {
        let labels = run.toxic.map(|toxic| if which(&toxic) { json!(["insult"]) } else { json!([]) });
        json!({ "isToxic": run.toxic.as_ref().map(which), "labels": labels })
    };
    json.insert("toxicity".to_owned(), json!({ "input": toxic(|t| t.0), "output": toxic(|t| t.1) }));
    messages(&mut json, run, style);
    for (evaluator, result) in &run.enrichments {
        json.insert(format!("enrichment-{evaluator}"), result.clone());
    }
    if let Some(chats) = row.chats.as_ref().filter(|_| style.threads) {
        let first = chats.first().map(|chat| camel(&chat.input));
        json.insert("firstMessage".to_owned(), json!(first));
        json.insert("messagesCount".to_owned(), json!(chats.len()));
    }
    Value::Object(json)
}

/// A run by itself; `trace` is the run at the top of those above it.
pub(super) fn single(run: &Run, project: &str, trace: Option<&str>) -> Value {
    let mut json = head(run, project);
    times(&mut json, run);
    figures(&mut json, run);
    json.insert("toxicity".to_owned(), json!({ "input": {}, "output": {} }));
    messages(&mut json, run, Style::default());
    let scores = json.shift_remove("scores");
    json.insert("traceId".to_owned(), json!(trace));
    json.insert("scores".to_owned(), json!(scores));
    for (evaluator, result) in &run.enrichments {
        let mut result = result.clone();
        if let Some(result) = result.as_object_mut() {
            result.insert("createdAt".to_owned(), instant(run.created_at));
            result.insert("updatedAt".to_owned(), instant(run.created_at));
        }
        json.insert(format!("enrichment-{evaluator}"), result);
    }
    Value::Object(json)
}

/// A run as it is stored, but for the spelling of keys.
pub(super) fn raw(run: &Run, project: &str) -> Value {
    json!({
        "id": run.id,
        "projectId": project,
        "parentRunId": run.parent,
        "type": run.kind,
        "name": run.name,
        "status": run.status,
        "createdAt": instant(run.created_at),
        "endedAt": run.ended_at.map(instant),
        "tags": run.tags,
        "input": camel(&run.input),
        "output": camel(&run.output),
        "error": camel(&run.error),
        "params": camel(&run.params),
        "promptTokens": run.prompt_tokens,
        "completionTokens": run.completion_tokens,
        "cost": number(run.cost.unwrap_or(0.0)),
        "feedback": camel(&run.feedback),
        "metadata": camel(&run.metadata),
    })
}

fn head(run: &Run, project: &str) -> Map<String, Value> {
    let mut json = Map::new();
    json.insert("id".to_owned(), json!(run.id));
    json.insert("projectId".to_owned(), json!(project));
    json.insert("isPublic".to_owned(), json!(run.is_public));
    json.insert("feedback".to_owned(), camel(&run.feedback));
    json
}

fn times(json: &mut Map<String, Value>, run: &Run) {
    json.insert("type".to_owned(), json!(run.kind));
    json.insert("name".to_owned(), json!(run.name));
    json.insert("createdAt".to_owned(), instant(run.created_at));
    json.insert("endedAt".to_owned(), json!(run.ended_at.map(instant)));
    let micros = run.ended_at.map(|end| end.as_microsecond() - run.created_at.as_microsecond());
    json.insert("duration".to_owned(), json!(micros.map(interval)));
    json.insert("templateVersionId".to_owned(), json!(run.template.as_ref().map(|template| template.version)));
}

fn figures(json: &mut Map<String, Value>, run: &Run) {
    json.insert("cost".to_owned(), json!(run.cost.map(number)));
    let total = run.prompt_tokens.unwrap_or(0) + run.completion_tokens.unwrap_or(0);
    let tokens = json!({
        "prompt": run.prompt_tokens,
        "cachedPrompt": 0,
        "completion": run.completion_tokens,
        "total": total,
    });
    json.insert("tokens".to_owned(), tokens);
}

fn messages(json: &mut Map<String, Value>, run: &Run, style: Style) {
    let added = |value: Value| if style.plain { value } else { enriched(value) };
    let mut input = added(unwrapped(&run.input, "input"));
    let mut output = added(unwrapped(&run.output, "output"));
    if style.shortened {
        input = shortened_input(input);
        output = shortened(output);
    }
    json.insert("tags".to_owned(), json!(run.tags));
    json.insert("input".to_owned(), input);
    json.insert("output".to_owned(), output);
    // Only an object is added to; a list of errors is left alone.
    let error = camel(&run.error);
    json.insert("error".to_owned(), if error.is_object() { added(error) } else { error });
    json.insert("status".to_owned(), json!(run.status));
    json.insert("params".to_owned(), camel(&run.params));
    json.insert("metadata".to_owned(), camel(&run.metadata));
    json.insert("user".to_owned(), json!(run.user.as_ref().map(user)));
    json.insert("scores".to_owned(), json!(run.scores));
}

fn user(user: &User) -> Value {
    json!({
        "id": user.id,
        "externalId": user.external_id,
        "createdAt": instant(user.created_at),
        "lastSeen": instant(user.last_seen),
        "props": camel(&user.props),
    })
}

/// A whole number is written without a fraction, as JavaScript does.
fn number(number: f64) -> Value {
    if number == 0.0 { json!(0) } else { json!(number) }
}

/// Milliseconds, cut and not rounded.
fn instant(at: Timestamp) -> Value {
    json!(at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
}

/// A length of time as the database writes it: `2 days 01:02:03.004`, without zeros at the end of the fraction.
fn interval(micros: i64) -> String {
    const DAY: u64 = 86_400_000_000;
    let size = micros.unsigned_abs();
    let (days, rest) = (size / DAY, size % DAY);
    let (sign, rest_sign) = if micros < 0 { ("-", if rest > 0 { "-" } else { "" }) } else { ("", "") };
    let seconds = rest / 1_000_000;
    let days = match (days, sign) {
        (0, _) => String::new(),
        (1, "") => "1 day ".to_owned(),
        _ => format!("{sign}{days} days "),
    };
    let fraction = format!(".{:06}", rest % 1_000_000);
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{days}{rest_sign}{:02}:{:02}:{:02}{fraction}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_written_as_the_database_writes_them() {
        for (micros, text) in [
            (17_542_000, "00:00:17.542"),
            (4_860_000, "00:00:04.86"),
            (2_000_000, "00:00:02"),
            (0, "00:00:00"),
            (176_523_004_000, "2 days 01:02:03.004"),
            (90_000_000_000, "1 day 01:00:00"),
            (-35_704_647_034_545, "-413 days -05:57:27.034545"),
        ] {
            assert_eq!(interval(micros), text);
        }
    }

    #[test]
    fn instants_have_milliseconds_and_no_more() {
        let at: Timestamp = "2026-11-22T02:55:33.375999Z".parse().unwrap();
        assert_eq!(instant(at), "2026-11-22T02:55:33.375Z");
        assert_eq!(instant("2026-11-22T02:55:33Z".parse().unwrap()), "2026-11-22T02:55:33.000Z");
    }
}
