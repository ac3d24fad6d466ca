//! Which assistant a model belongs to, by the model's name: data, not code.

use super::glob::{Glob, is_like};
use crate::upstream::fields::clean;

/// The engine of runs that name no model.
const UNKNOWN: &str = "unknown";
const MAX_NAME: usize = 64;

/// Patterns of model names, lower case, and whose models these are. The pattern with the most letters wins.
const TABLE: &[(&str, &str)] = &[
    ("gpt*", "chatgpt"),
    ("chatgpt*", "chatgpt"),
    ("o1", "chatgpt"),
    ("o1-*", "chatgpt"),
    ("o3", "chatgpt"),
    ("o3-*", "chatgpt"),
    ("o4", "chatgpt"),
    ("o4-*", "chatgpt"),
    ("text-davinci-*", "chatgpt"),
    ("claude*", "claude"),
    ("gemini*", "gemini"),
    ("learnlm*", "gemini"),
    ("gemma*", "gemma"),
    ("codegemma*", "gemma"),
    ("grok*", "grok"),
    ("sonar*", "perplexity"),
    ("pplx*", "perplexity"),
    ("r1-1776*", "perplexity"),
    ("llama-*-sonar-*", "perplexity"),
    ("mistral*", "mistral"),
    ("mixtral*", "mistral"),
    ("open-mistral*", "mistral"),
    ("open-mixtral*", "mistral"),
    ("ministral*", "mistral"),
    ("magistral*", "mistral"),
    ("codestral*", "mistral"),
    ("pixtral*", "mistral"),
    ("devstral*", "mistral"),
    ("llama*", "llama"),
    ("meta-llama*", "llama"),
    ("codellama*", "llama"),
    ("deepseek*", "deepseek"),
    ("command*", "cohere"),
    ("c4ai*", "cohere"),
    ("qwen*", "qwen"),
    ("qwq*", "qwen"),
    ("qvq*", "qwen"),
    ("kimi*", "kimi"),
    ("moonshot*", "kimi"),
    ("glm*", "glm"),
    ("chatglm*", "glm"),
    ("nova*", "amazon_nova"),
    ("titan*", "amazon_titan"),
    ("phi", "phi"),
    ("phi-*", "phi"),
    ("phi1*", "phi"),
    ("phi2*", "phi"),
    ("phi3*", "phi"),
    ("phi4*", "phi"),
    ("copilot*", "copilot"),
];

/// What clouds and gateways write before a model's name, besides everything up to the last slash.
const PREFIXES: &[&str] = &[
    "ft:",
    "us.",
    "eu.",
    "apac.",
    "global.",
    "anthropic.",
    "amazon.",
    "meta.",
    "mistral.",
    "cohere.",
    "deepseek.",
    "openai.",
    "qwen.",
    "moonshot.",
];

/// A rule of the configuration: models of these names are this engine's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModelRule {
    /// The model's name; `*` stands for any text.
    pub pattern: String,
    /// The engine.
    pub engine: String,
}

/// The table, with the configuration's rules before it.
#[derive(Clone, Debug, Default)]
pub(super) struct Engines(Vec<(Glob, String)>);

impl Engines {
    pub(super) fn new(rules: &[ModelRule]) -> Self {
        let rule = |rule: &ModelRule| (Glob::of(&rule.pattern), engine_name(&rule.engine));
        let mut rules: Vec<(Glob, String)> = rules.iter().map(rule).collect();
        // The first of equals stays the first.
        rules.sort_by_key(|(glob, _)| std::cmp::Reverse(glob.weight()));
        Self(rules)
    }

    /// The engine of a model.
    pub(super) fn engine_of(&self, model: Option<&str>) -> String {
        let Some(model) = model.map(str::trim).filter(|model| !model.is_empty()) else { return UNKNOWN.to_owned() };
        let full = model.to_lowercase();
        let bare = bare(&full);
        let rule = self.0.iter().find(|(glob, _)| glob.matches(&full) || glob.matches(bare));
        if let Some((_, engine)) = rule {
            return engine.clone();
        }
        let letters = |pattern: &str| pattern.len() - pattern.matches('*').count();
        let fitting = TABLE.iter().filter(|(pattern, _)| is_like(pattern, bare));
        match fitting.max_by_key(|(pattern, _)| letters(pattern)) {
            Some((_, engine)) => (*engine).to_owned(),
            None => engine_name(&full),
        }
    }
}

fn engine_name(text: &str) -> String {
    let name = clean(text.trim(), MAX_NAME).to_lowercase();
    if name.is_empty() { UNKNOWN.to_owned() } else { name }
}

/// The name without what gateways write before it.
fn bare(model: &str) -> &str {
    let mut name = model.rsplit('/').find(|part| !part.is_empty()).unwrap_or(model);
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)) {
        name = rest;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_name_tells_its_engine() {
        for (model, engine) in [
            ("gpt-4o-mini", "chatgpt"),
            ("GPT-5", "chatgpt"),
            ("o3", "chatgpt"),
            ("o1-preview", "chatgpt"),
            ("ollama-thing", "ollama-thing"),
            ("chatgpt-4o-latest", "chatgpt"),
            ("openai/gpt-4.1", "chatgpt"),
            ("azure/gpt-4o", "chatgpt"),
            ("ft:gpt-4o-mini:acme::abc", "chatgpt"),
            ("claude-3-5-sonnet-20241022", "claude"),
            ("us.anthropic.claude-sonnet-4-20250514-v1:0", "claude"),
            ("anthropic.claude-3-haiku", "claude"),
            ("models/gemini-1.5-pro", "gemini"),
            ("gemma-3-27b", "gemma"),
            ("grok-2", "grok"),
            ("sonar-pro", "perplexity"),
            ("r1-1776", "perplexity"),
            ("llama-3.1-sonar-large-128k-online", "perplexity"),
            ("llama-3.1-70b", "llama"),
            ("meta-llama/Llama-3.3-70B-Instruct", "llama"),
            ("accounts/fireworks/models/mixtral-8x7b", "mistral"),
            ("mistral-large", "mistral"),
            ("deepseek-r1", "deepseek"),
            ("command-r-plus", "cohere"),
            ("qwq-32b", "qwen"),
            ("kimi-k2", "kimi"),
            ("glm-4.5", "glm"),
            ("amazon.nova-pro-v1:0", "amazon_nova"),
            ("amazon.titan-text-express-v1", "amazon_titan"),
            ("phi-4", "phi"),
            ("phind-34b", "phind-34b"),
            ("Acme-Chat", "acme-chat"),
            (" ", "unknown"),
        ] {
            assert_eq!(Engines::default().engine_of(Some(model)), engine, "{model}");
        }
        assert_eq!(Engines::default().engine_of(None), "unknown");
    }

    #[test]
    fn rules_of_the_configuration_go_first_and_the_most_specific_first_of_all() {
        let rule = |pattern: &str, engine: &str| ModelRule { pattern: pattern.into(), engine: engine.into() };
        let engines = Engines::new(&[
            rule("my-*", "ChatGPT"),
            rule("my-special-*", "claude"),
            rule("gpt-4o", "our_bot"),
            rule("acme/*", "gemini"),
        ]);
        for (model, engine) in [
            ("my-ft-1", "chatgpt"),
            ("my-special-1", "claude"),
            ("gpt-4o", "our_bot"),
            ("openai/gpt-4o", "our_bot"),
            ("gpt-4o-mini", "chatgpt"),
            ("acme/x", "gemini"),
        ] {
            assert_eq!(engines.engine_of(Some(model)), engine, "{model}");
        }
    }
}
