//! What applications send as input and output of an llm run: no two agree on a shape.
//!
//! Keys are spelled as the callers spell them. Whatever the shape, the text is the world's answer, and the URLs beside
//! it are those of the world, in its order.

use crate::demo::{rng::Dice, world::WorldRun};
use serde_json::{Value, json};

const SYSTEM: &str = "You are a helpful assistant. Cite sources.";

/// A question in one of the shapes that are seen.
pub(super) fn input(question: &str, dice: &mut Dice) -> Value {
    match dice.below(100) {
        0..70 => json!([{ "role": "system", "content": SYSTEM }, { "role": "user", "content": question }]),
        70..82 => json!(question),
        82..90 => json!([{ "role": "user", "content": [{ "type": "text", "text": question }] }]),
        90..95 => json!({ "role": "user", "content": question }),
        _ => json!({ "input": question }),
    }
}

/// How an answer stands in an output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// One message.
    Message,
    /// A text by itself.
    Text,
    /// A message with an annotation for each URL.
    Annotated,
    /// A message with a list of URLs, and a text that points to them by number.
    Cited,
    /// An object of the application's own, with search results.
    Searched,
    /// A message whose content is a list of parts.
    Parts,
    /// The second of two messages; the first calls a tool and says nothing.
    AfterTool,
    /// A list of one message.
    List,
    /// One message that begins with a line of its own, so that a cut after 100 units halves an emoji.
    Emoji,
}

impl Shape {
    pub(super) fn thrown(dice: &mut Dice) -> Self {
        match dice.below(100) {
            0..32 => Self::Message,
            32..44 => Self::Text,
            44..54 => Self::Annotated,
            54..63 => Self::Cited,
            63..70 => Self::Searched,
            70..78 => Self::Parts,
            78..86 => Self::AfterTool,
            86..92 => Self::List,
            _ => Self::Emoji,
        }
    }
}

/// The output of a run that was answered.
pub(super) fn output(run: &WorldRun<'_>, shape: Shape) -> Value {
    let answer = run.answer.as_deref().unwrap_or_default();
    let urls: Vec<&str> = run.citations.iter().map(|citation| citation.url.as_str()).collect();
    let message = |content: &str| json!({ "role": "assistant", "content": content });
    match shape {
        Shape::Message => message(answer),
        Shape::Text => json!(answer),
        Shape::Annotated => {
            json!({ "role": "assistant", "content": answer, "annotations": annotations(answer, &urls) })
        }
        Shape::Cited => {
            json!({ "role": "assistant", "content": without_definitions(answer), "citations": urls })
        }
        Shape::Searched => {
            let day = run.day.to_string();
            let result = |url: &&str| json!({ "title": host(url), "url": url, "date": day });
            let results: Vec<Value> = urls.iter().map(result).collect();
            json!({ "answer": answer, "citations": urls, "search_results": results })
        }
        Shape::Parts => {
            let mut parts = vec![json!({ "type": "text", "text": without_definitions(answer) })];
            parts.extend(urls.iter().map(|url| json!({ "type": "citation", "url": url })));
            json!({ "role": "assistant", "content": parts })
        }
        Shape::AfterTool => {
            let arguments = json!({ "query": run.prompt_text }).to_string();
            let call = json!({
                "id": format!("call_{}_{}", run.prompt + 1, run.engine + 1),
                "type": "function",
                "function": { "name": "web_search", "arguments": arguments },
            });
            json!([{ "role": "assistant", "content": null, "tool_calls": [call] }, message(answer)])
        }
        Shape::List => json!([message(answer)]),
        Shape::Emoji => message(&format!("{}\u{1f600}\n\n{answer}", lead())),
    }
}

/// So many units that a cut after one more falls into what comes next.
const LEAD: usize = 99;

/// Harmless words, of just the length to have an emoji halved.
fn lead() -> String {
    let words = "A short answer comes first, the details follow below";
    format!("{words}{}", ".".repeat(LEAD.saturating_sub(words.len())))
}

/// One for each URL, with where it stands in the text in UTF-16 units.
fn annotations(answer: &str, urls: &[&str]) -> Vec<Value> {
    let units = |text: &str| text.encode_utf16().count();
    let mut from = 0;
    let mut annotation = |url: &&str| {
        let (before, after) = answer.split_at(from);
        let at = after.find(*url).map_or(from, |found| before.len() + found);
        let start = units(answer.split_at(at).0);
        from = (at + url.len()).min(answer.len());
        let cited = json!({ "url": url, "title": host(url), "start_index": start, "end_index": start + units(url) });
        json!({ "type": "url_citation", "url_citation": cited })
    };
    urls.iter().map(&mut annotation).collect()
}

/// The text without the definitions of its footnotes, where those are at its end: the marks then point to the list.
fn without_definitions(answer: &str) -> &str {
    answer.split_once("\n\n[1]: ").map_or(answer, |(text, _)| text)
}

fn host(url: &str) -> &str {
    url.split('/').nth(2).unwrap_or_default()
}

/// What is left of a run that failed: an object, a text, or nothing at all.
pub(super) fn error(failure: &str, dice: &mut Dice) -> Value {
    match dice.below(10) {
        0..3 => json!({ "message": failure, "code": "upstream_error" }),
        3..6 => json!({ "message": failure, "stack": format!("Error: {failure}\n    at ask (/app/ask.js:7:11)") }),
        6..9 => json!(failure),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lead_is_as_long_as_it_has_to_be() {
        assert_eq!(lead().encode_utf16().count(), 99);
    }

    #[test]
    fn annotations_say_where_a_url_stands_in_utf_16_units() {
        let found = annotations("😀 https://a.example/ and https://a.example/", &["https://a.example/"; 2]);
        let places: Vec<_> = found.iter().map(|a| a["url_citation"]["start_index"].as_u64().unwrap()).collect();
        assert_eq!(places, [3, 26]);
        assert_eq!(without_definitions("Good [1].\n\n[1]: https://a.example/"), "Good [1].");
    }
}
