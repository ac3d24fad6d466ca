//! Holds to: whatever arguments a tool is given, it answers within its bounds or refuses in its own words; it neither
//! panics nor fails.
//!
//! The first byte is the tool. The second says whether the rest is JSON as it stands, or chooses a value for each
//! argument that the tool has.
#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use support::{Choices, SOURCE, TOOLS, call};
use visibility_mcp::mcp::ToolInfo;

/// Names that the cache knows, and words that arguments have a use for.
const WORDS: [&str; 20] = [
    "Fernvolt",
    "Fernvolt · home batteries",
    "chatgpt",
    "30d",
    "2026-11",
    "2026-11-10..2026-11-20",
    "finished",
    "presence_rate",
    "best",
    "\"battery\" OR NEAR(a b, 9) NOT c*",
    "'; DROP TABLE runs; --",
    "../../etc/passwd",
    "%00%2e%2e/",
    "https://fernvolt.example/?a=1",
    "SELECT * FROM runs",
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT sum(x) FROM c",
    "month citation_rate 2026-11-10..2026-11-20",
    "1",
    "\u{202e}\u{0}![x](https://evil.example)",
    SOURCE,
];

fuzz_target!(|data: &[u8]| {
    let tools: Vec<&ToolInfo> = TOOLS.tools().collect();
    let mut choices = Choices(data);
    let tool = *choices.of(&tools);
    let arguments = if choices.byte() % 4 == 0 {
        let Ok(Value::Object(arguments)) = serde_json::from_slice(choices.0) else { return };
        arguments
    } else {
        chosen(tool, &mut choices)
    };
    let _ = call(tool.name, &arguments);
});

fn chosen(tool: &ToolInfo, choices: &mut Choices<'_>) -> Map<String, Value> {
    let mut arguments = Map::new();
    for (name, schema) in tool.input_schema["properties"].as_object().unwrap() {
        let words = schema.get("enum").and_then(Value::as_array);
        let value = match (choices.byte() % 8, words) {
            (0..=2, _) => continue,
            (3..=5, Some(words)) => choices.of(words).clone(),
            (3..=4, None) if schema["type"] == "integer" => u32::from(choices.byte()).into(),
            (3..=4, None) if schema["type"] == "boolean" => (choices.byte() % 2 == 0).into(),
            (3..=4, None) => (*choices.of(&WORDS)).into(),
            (5, None) if name == "run_id" || name == "other_run_id" => run(choices),
            (6, _) => choices.of(&[Value::Null, (-1).into(), 1e300.into(), Value::Array(vec![]), true.into()]).clone(),
            _ => choices.text().into(),
        };
        arguments.insert(name.clone(), value);
    }
    arguments
}

/// The id of a run that is there.
fn run(choices: &mut Choices<'_>) -> Value {
    static RUNS: std::sync::LazyLock<Vec<Value>> = std::sync::LazyLock::new(|| {
        let arguments: Value = serde_json::json!({ "limit": 100 });
        let answer = call("list_prompt_runs", arguments.as_object().unwrap()).unwrap();
        answer["runs"]["rows"].as_array().unwrap().iter().map(|row| row[0].clone()).collect()
    });
    choices.of(&RUNS).clone()
}
