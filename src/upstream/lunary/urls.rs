//! URLs that stand beside an answer: annotations, lists of citations, search results, grounding.

use serde_json::Value;
use std::collections::HashSet;

/// No answer has so many in earnest.
const MAX_URLS: usize = 1_000;

/// The URLs of an output, and those that the caller put into the metadata: in their order, each once.
pub(super) fn source_urls(output: Option<&Value>, metadata: Option<&Value>) -> Vec<String> {
    let mut urls = Urls::default();
    if let Some(output) = output {
        urls.walk(output, false);
    }
    // What else a caller notes is theirs: only lists of sources count.
    for (name, value) in metadata.and_then(Value::as_object).into_iter().flatten() {
        if matches!(field(name), Field::Sources) {
            urls.walk(value, true);
        }
    }
    urls.list
}

#[derive(Default)]
struct Urls {
    list: Vec<String>,
    seen: HashSet<String>,
}

/// What a field may hold.
enum Field {
    /// Sources: texts, or objects with a URL.
    Sources,
    /// More of the answer, which may have sources somewhere inside.
    Answer,
    /// Neither.
    Other,
}

fn field(name: &str) -> Field {
    // `url_citation` comes back as `urlCitation`.
    let name: String = name.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect();
    match name.as_str() {
        "annotations" | "citations" | "citation" | "urlcitation" | "searchresults" | "sources" | "references"
        | "groundingmetadata" | "groundingchunks" | "web" | "citationmetadata" | "citationsources" => Field::Sources,
        "content" | "contents" | "parts" | "message" | "messages" | "output" | "outputs" | "choices" | "candidates"
        | "generations" | "kwargs" | "response" | "result" | "text" | "data" | "additionalkwargs"
        | "responsemetadata" => Field::Answer,
        _ => Field::Other,
    }
}

impl Urls {
    /// `is_source` says that the value is a source or a list of them.
    fn walk(&mut self, value: &Value, is_source: bool) {
        match value {
            Value::String(text) if is_source => self.add(text),
            Value::Array(items) => items.iter().for_each(|item| self.walk(item, is_source)),
            Value::Object(object) => {
                let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
                let is_media = ["image", "audio", "video", "file"].iter().any(|word| kind.contains(word));
                // A part of the answer with a type and a URL is a source as well.
                if is_source || (!kind.is_empty() && !is_media) {
                    let named = ["url", "uri", "link", "href"].iter().find_map(|key| object.get(*key)?.as_str());
                    if let Some(url) = named {
                        self.add(url);
                    }
                }
                for (name, value) in object {
                    match field(name) {
                        Field::Sources => self.walk(value, true),
                        Field::Answer if !is_source => self.walk(value, false),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, url: &str) {
        let url = url.trim();
        let has_scheme = |scheme: &str| url.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
        if !(has_scheme("https://") || has_scheme("http://")) || url.contains(char::is_whitespace) {
            return;
        }
        if self.list.len() < MAX_URLS && self.seen.insert(url.to_owned()) {
            self.list.push(url.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sources_are_found_wherever_apis_put_them() {
        let url = |n: u32| format!("https://s{n}.example/p");
        let annotations = json!({"content": "x", "annotations": [
            {"type": "url_citation", "urlCitation": {"url": url(1), "title": "t"}},
            {"type": "url_citation", "url_citation": {"url": url(2)}},
            {"type": "url_citation", "url": url(3)},
            {"type": "url_citation", "urlCitation": {"url": url(1)}}]});
        let lists = json!({"answer": "x", "citations": [url(1), {"url": url(2)}, "2", null, {"title": "none"}],
            "searchResults": [{"url": url(3)}], "search_results": [{"link": url(4)}]});
        let parts = json!([{"role": "assistant", "content": [
            {"type": "text", "text": "x", "citations": [{"type": "web_search_result_location", "url": url(1)}]},
            {"type": "citation", "url": url(2)},
            {"type": "image", "url": url(9)},
            {"type": "image_url", "imageUrl": {"url": url(9)}}]}]);
        let grounding = json!({"candidates": [{"content": {"parts": [{"text": "x"}]},
            "groundingMetadata": {"groundingChunks": [{"web": {"uri": url(1)}}, {"web": {"uri": url(2)}}]}}]});
        for (output, count) in [(annotations, 3), (lists, 4), (parts, 2), (grounding, 2)] {
            let expected: Vec<String> = (1..=count).map(url).collect();
            assert_eq!(source_urls(Some(&output), None), expected, "{output}");
        }
        let metadata = json!({"citations": [url(2), url(1), "ftp://x", "no url"], "url": url(9), "page": url(9)});
        let output = json!({"citations": [url(1)]});
        assert_eq!(source_urls(Some(&output), Some(&metadata)), [url(1), url(2)]);
        assert_eq!(source_urls(Some(&json!(url(1))), None), Vec::<String>::new());
        assert_eq!(source_urls(None, None), Vec::<String>::new());
    }
}
