//! What was asked and what was answered, out of inputs and outputs of any shape: messages, parts, texts, objects.

use serde_json::Value;

/// The key that the server adds to every message, and to objects that it takes for one.
pub(super) const ENRICHMENTS: &str = "enrichments";

/// Where objects keep their text, the likeliest first.
const ANSWER_KEYS: &[&str] = &[
    "content",
    "text",
    "answer",
    "output",
    "message",
    "messages",
    "completion",
    "response",
    "result",
    "parts",
    "choices",
    "candidates",
    "generations",
    "outputText",
    "generatedText",
    "kwargs",
    "value",
    "refusal",
];
const QUESTION_KEYS: &[&str] = &[
    "messages", "contents", "content", "text", "question", "prompt", "query", "input", "message", "parts", "kwargs",
    "q", "value",
];
/// Lists of which each item is a whole answer: the first one counts.
const ALTERNATIVES: &[&str] = &["choices", "candidates", "generations"];

/// A text, and where in its value it stands, as a JSON pointer.
struct Found {
    pointer: String,
    text: String,
}

/// Takes the answer's text out of an output: where it stood is `null` then. None where there is no text.
pub(super) fn take_answer(output: &mut Value) -> Option<String> {
    let mut found = find(output, "", ANSWER_KEYS);
    if found.is_empty() {
        let text = leftover(output)?;
        found.push(Found { pointer: String::new(), text });
    }
    for Found { pointer, .. } in &found {
        if let Some(place) = output.pointer_mut(pointer) {
            *place = Value::Null;
        }
    }
    Some(join(found)).filter(|answer| !answer.trim().is_empty())
}

/// The question: the last thing that a user said, else the last thing said at all.
pub(super) fn question_of(input: &Value) -> Option<String> {
    let text = join(find_question(input));
    let text = if text.trim().is_empty() { leftover(input)? } else { text };
    Some(text).filter(|text| !text.trim().is_empty())
}

fn find(value: &Value, at: &str, keys: &[&str]) -> Vec<Found> {
    match value {
        Value::Null => vec![],
        Value::String(text) if text.trim().is_empty() => vec![],
        Value::String(text) => vec![Found { pointer: at.to_owned(), text: text.clone() }],
        Value::Number(_) | Value::Bool(_) => vec![Found { pointer: at.to_owned(), text: value.to_string() }],
        Value::Array(items) => {
            let place = |(i, item): (usize, &Value)| find(item, &format!("{at}/{i}"), keys);
            if !items.iter().any(|item| role_of(item).is_some()) {
                return items.iter().enumerate().flat_map(place).collect();
            }
            let from = |wanted: &dyn Fn(Role) -> bool| {
                let messages = items.iter().enumerate().rev();
                let mut said = messages.filter(|(_, item)| wanted(role_of(item).unwrap_or(Role::Other))).map(place);
                said.find(|found| !found.is_empty())
            };
            from(&|role| role == Role::Assistant).or_else(|| from(&|role| role == Role::Other)).unwrap_or_default()
        }
        Value::Object(object) if is_no_prose(object.get("type")) => vec![],
        Value::Object(object) => {
            let place = |key: &&str| match object.get(*key)? {
                Value::Array(items) if ALTERNATIVES.contains(key) => {
                    items.first().map(|first| find(first, &format!("{at}/{key}/0"), keys))
                }
                value => Some(find(value, &format!("{at}/{key}"), keys)),
            };
            keys.iter().filter_map(place).find(|found| !found.is_empty()).unwrap_or_default()
        }
    }
}

fn find_question(input: &Value) -> Vec<Found> {
    match input {
        Value::Array(items) if items.iter().any(|item| role_of(item).is_some()) => {
            let said = |item: &Value| Some(find(item, "", QUESTION_KEYS)).filter(|found| !found.is_empty());
            let mut users = items.iter().rev().filter(|item| role_of(item) == Some(Role::User));
            users.find_map(said).or_else(|| items.iter().rev().find_map(said)).unwrap_or_default()
        }
        // Parts of one message belong together; of other lists the last item is the newest.
        Value::Array(items) if !items.iter().any(|item| item.get("type").is_some()) => {
            items.iter().rev().map(find_question).find(|found| !found.is_empty()).unwrap_or_default()
        }
        Value::Object(object) if role_of(input).is_none() => {
            let place = |key: &&str| object.get(*key).map(find_question).filter(|found| !found.is_empty());
            QUESTION_KEYS.iter().find_map(place).unwrap_or_default()
        }
        _ => find(input, "", QUESTION_KEYS),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    User,
    Assistant,
    /// One that is never the answer: the system, a tool.
    Silent,
    Other,
}

/// Who says a message; none where it is no message.
fn role_of(message: &Value) -> Option<Role> {
    let object = message.as_object()?;
    let is_role = |word: &&str| matches!(*word, "human" | "ai" | "system");
    let word = object.get("role").and_then(Value::as_str);
    let word = word.or_else(|| object.get("type").and_then(Value::as_str).filter(is_role))?;
    Some(match word.to_lowercase().as_str() {
        "user" | "human" => Role::User,
        "assistant" | "ai" | "model" | "bot" => Role::Assistant,
        "system" | "developer" | "tool" | "function" => Role::Silent,
        _ => Role::Other,
    })
}

/// Is a part of this type something else than what is said?
fn is_no_prose(kind: Option<&Value>) -> bool {
    let kind = kind.and_then(Value::as_str).unwrap_or_default().to_lowercase();
    ["thinking", "reasoning", "tool", "function", "citation", "image", "audio", "video", "file", "search_result"]
        .iter()
        .any(|word| kind.contains(word))
}

/// The JSON of a value without a text of its own; none for messages that say nothing, such as calls of tools.
fn leftover(value: &Value) -> Option<String> {
    let value = without_enrichments(value);
    let says_nothing = |value: &Value| {
        value.get("role").is_some()
            || is_no_prose(value.get("type"))
            || ["toolCalls", "tool_calls", "functionCall", "function_call"].iter().any(|key| value.get(key).is_some())
            || ANSWER_KEYS.iter().any(|key| value.get(key).is_some())
    };
    let is_empty = match &value {
        Value::Object(object) => object.is_empty() || says_nothing(&value),
        Value::Array(items) => items.iter().all(|item| !item.is_object() || says_nothing(item)),
        _ => true,
    };
    (!is_empty).then(|| value.to_string())
}

/// The value without what evaluators left in it.
pub(super) fn without_enrichments(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object.iter().filter(|(key, _)| *key != ENRICHMENTS);
            Value::Object(kept.map(|(key, value)| (key.clone(), without_enrichments(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_enrichments).collect()),
        other => other.clone(),
    }
}

/// One text of several parts. Parts of one sentence bring their spaces along; others are set apart.
fn join(found: Vec<Found>) -> String {
    let mut text = String::new();
    for Found { text: part, .. } in found {
        let ends_a_word = text.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '!' | '?' | ':' | ';'));
        if ends_a_word && part.starts_with(|c: char| c.is_alphanumeric()) {
            text.push('\n');
        }
        text.push_str(&part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_answer_is_found_in_any_shape_and_only_it_is_taken() {
        let call = json!({"role": "assistant", "content": null, "toolCalls": [{"id": "c"}], "enrichments": []});
        for (output, answer, left) in [
            (json!(null), None, json!(null)),
            (json!(" \n"), None, json!(" \n")),
            (json!("Plain."), Some("Plain."), json!(null)),
            (json!(42), Some("42"), json!(null)),
            (json!(true), Some("true"), json!(null)),
            (json!({"role": "assistant", "content": "A"}), Some("A"), json!({"role": "assistant", "content": null})),
            (
                json!({"content": [{"type": "text", "text": "See"}, {"type": "text", "text": " this"},
                    {"type": "citation", "url": "https://a.example", "text": "no prose"}]}),
                Some("See this"),
                json!({"content": [{"type": "text", "text": null}, {"type": "text", "text": null},
                    {"type": "citation", "url": "https://a.example", "text": "no prose"}]}),
            ),
            (call.clone(), None, call.clone()),
            (json!([call, {"role": "assistant", "content": "After."}]), Some("After."), {
                let mut left = json!([null, {"role": "assistant", "content": null}]);
                left[0] = call.clone();
                left
            }),
            (
                json!([{"role": "assistant", "content": "One"}, {"role": "assistant", "content": "Two"},
                    {"role": "tool", "content": "{}"}]),
                Some("Two"),
                json!([{"role": "assistant", "content": "One"}, {"role": "assistant", "content": null},
                    {"role": "tool", "content": "{}"}]),
            ),
            (json!([{"role": "user", "content": "Asked"}]), None, json!([{"role": "user", "content": "Asked"}])),
            (json!(["One.", "Two."]), Some("One.\nTwo."), json!([null, null])),
            (json!({"answer": "A", "citations": ["u"]}), Some("A"), json!({"answer": null, "citations": ["u"]})),
            (json!({"output": {"text": "Deep"}}), Some("Deep"), json!({"output": {"text": null}})),
            (
                json!({"choices": [{"message": {"content": "1st"}}, {"message": {"content": "2nd"}}]}),
                Some("1st"),
                json!({"choices": [{"message": {"content": null}}, {"message": {"content": "2nd"}}]}),
            ),
            (
                json!({"candidates": [{"content": {"role": "model", "parts": [{"text": "G"}]}}]}),
                Some("G"),
                json!({"candidates": [{"content": {"role": "model", "parts": [{"text": null}]}}]}),
            ),
            (
                json!([{"type": "reasoning", "text": "hm"}, {"type": "output_text", "text": "So."}]),
                Some("So."),
                json!([{"type": "reasoning", "text": "hm"}, {"type": "output_text", "text": null}]),
            ),
            (json!({"content": null, "refusal": "No."}), Some("No."), json!({"content": null, "refusal": null})),
            (json!({"results": ["x"], "enrichments": []}), Some(r#"{"results":["x"]}"#), json!(null)),
            (json!([{"title": "d"}]), Some(r#"[{"title":"d"}]"#), json!(null)),
            (json!({"enrichments": []}), None, json!({"enrichments": []})),
            (json!({"content": ""}), None, json!({"content": ""})),
            (json!([]), None, json!([])),
        ] {
            let mut rest = output.clone();
            assert_eq!(take_answer(&mut rest).as_deref(), answer, "{output}");
            assert_eq!(rest, left, "{output}");
        }
    }

    #[test]
    fn the_question_is_what_the_user_said_last() {
        for (input, question) in [
            (json!(null), None),
            (json!("Which?"), Some("Which?")),
            (json!({"role": "user", "content": "Which?", "enrichments": []}), Some("Which?")),
            (
                json!([{"role": "system", "content": "S"}, {"role": "user", "content": "1"},
                    {"role": "assistant", "content": "A"}, {"role": "user", "content": "2"},
                    {"role": "tool", "content": "T"}]),
                Some("2"),
            ),
            (
                json!([{"role": "user", "content": [{"type": "text", "text": "Look:"},
                    {"type": "image_url", "imageUrl": {"url": "https://i.example"}}]}]),
                Some("Look:"),
            ),
            (json!([{"role": "user", "content": "1"}, {"role": "user", "content": null}]), Some("1")),
            (json!([{"role": "system", "content": "Only this"}]), Some("Only this")),
            (json!([{"type": "human", "content": "H"}, {"type": "ai", "content": "A"}]), Some("H")),
            (json!(["first", "last"]), Some("last")),
            (json!([{"type": "text", "text": "a"}, {"type": "text", "text": " b"}]), Some("a b")),
            (json!({"question": "Q?", "enrichments": []}), Some("Q?")),
            (json!({"messages": [{"role": "user", "content": "In"}], "model": "m"}), Some("In")),
            (json!({"contents": [{"role": "user", "parts": [{"text": "G"}]}]}), Some("G")),
            (json!({"topic": "crawlers", "enrichments": []}), Some(r#"{"topic":"crawlers"}"#)),
            (json!(7), Some("7")),
            (json!([]), None),
            (json!({}), None),
            (json!("  "), None),
        ] {
            assert_eq!(question_of(&input).as_deref(), question, "{input}");
        }
    }
}
