//! What an engine's model is called by whoever records the calls to it.

/// The name of an llm run: dots and dates in it as vendors write them, and for every fifth prompt, which goes through a
/// gateway, the vendor before a slash.
pub(super) fn model_name(engine: &str, model: &str, prompt: usize) -> String {
    // Numbered copies of an engine: `grok_2`.
    let copy = engine.rsplit_once('_').and_then(|(_, number)| number.parse::<u32>().ok());
    let base = copy.and_then(|_| Some(engine.rsplit_once('_')?.0)).unwrap_or(engine);
    let (vendor, name) = match base {
        // A few prompts stay with a small, dated model.
        "chatgpt" if prompt % 7 == 3 => ("openai", "gpt-4o-mini-2024-07-18".to_owned()),
        "chatgpt" => ("openai", dotted(model)),
        "gemini" => ("google", "gemini-2.5-pro".to_owned()),
        "grok" => ("x-ai", "grok-4".to_owned()),
        "claude" => ("anthropic", "claude-sonnet-4-5".to_owned()),
        "perplexity" => ("perplexity", "sonar-pro".to_owned()),
        // A surface of a search engine has no model that an application could call.
        _ => ("mistralai", "mistral-large-latest".to_owned()),
    };
    let name = copy.map_or(name.clone(), |copy| format!("{name}-{copy}"));
    if prompt % 5 == 4 { format!("{vendor}/{name}") } else { name }
}

/// `gpt-5-1` as `gpt-5.1`.
fn dotted(model: &str) -> String {
    match model.rsplit_once('-') {
        Some((stem, minor)) if stem.ends_with(|c: char| c.is_ascii_digit()) => format!("{stem}.{minor}"),
        _ => model.to_owned(),
    }
}

/// Does the price list know the model? Of some vendors it knows none.
pub(super) fn has_price(name: &str) -> bool {
    !["sonar", "grok", "mistral"].iter().any(|unknown| name.contains(unknown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_dots_dates_and_slashes() {
        for (engine, prompt, name) in [
            ("chatgpt", 0, "gpt-5.1"),
            ("chatgpt", 3, "gpt-4o-mini-2024-07-18"),
            ("chatgpt", 4, "openai/gpt-5.1"),
            ("gemini", 9, "google/gemini-2.5-pro"),
            ("claude", 1, "claude-sonnet-4-5"),
            ("grok_2", 1, "grok-4-2"),
            ("google_ai_overviews", 1, "mistral-large-latest"),
        ] {
            assert_eq!(model_name(engine, "gpt-5-1", prompt), name);
        }
        assert!(has_price("openai/gpt-5.1") && !has_price("x-ai/grok-4"));
    }
}
