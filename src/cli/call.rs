//! `call`: any tool from the command line, as a table for people or as JSON.

use super::{Context, Failure, Global, Status, output, sync};
use crate::tools;
use clap::Args;
use serde_json::{Map, Value};

#[derive(Debug, Args)]
pub(super) struct Call {
    /// The tool, as `visibility-mcp tools` lists it
    tool: String,
    /// Arguments as key=value, such as engine=chatgpt limit=5
    #[arg(value_name = "KEY=VALUE")]
    arguments: Vec<String>,
    /// Print the structured answer, alone, on stdout; arguments may be given as a JSON object
    #[arg(long, value_name = "ARGUMENTS", num_args = 0..=1, default_missing_value = "{}")]
    json: Option<String>,
}

impl Call {
    pub(super) fn run(&self, global: &Global) -> Result<Status, Failure> {
        let context = Context::new(global, None)?;
        sync::fill_if_missing(&context)?;
        let registry = tools::catalogue_with_sql();
        let mut arguments = Map::new();
        let mut pairs = self.arguments.clone();
        if let Some(json) = &self.json {
            if json.trim_start().starts_with('{') {
                arguments = serde_json::from_str(json).map_err(|error| {
                    Failure::new(
                        format!("the arguments are not a JSON object: {error}"),
                        "write them as '{\"limit\": 5}'",
                    )
                })?;
            } else {
                pairs.push(json.clone());
            }
        }
        let schema = registry.tools().find(|tool| tool.name == self.tool).map(|tool| tool.input_schema.clone());
        for pair in &pairs {
            let (key, value) = pair.split_once('=').ok_or_else(|| {
                Failure::new(
                    format!("`{pair}` is not of the form key=value"),
                    "write arguments as engine=chatgpt limit=5",
                )
            })?;
            let kind = schema
                .as_ref()
                .and_then(|schema| schema.get("properties")?.get(key)?.get("type")?.as_str().map(str::to_owned));
            arguments.insert(key.to_owned(), typed(kind.as_deref(), value));
        }
        let answer = registry.call(&self.tool, &arguments, &context.backend(), Context::limits())?;
        output::data(&if self.json.is_some() { answer.to_string() } else { output::answer(&answer) })?;
        Ok(Status::Success)
    }
}

/// A value as the tool's schema wants it; what does not fit goes on as text, for the tool to say so.
fn typed(kind: Option<&str>, value: &str) -> Value {
    match kind {
        Some("integer") => value.parse::<i64>().map_or_else(|_| value.into(), Value::from),
        Some("number") => value.parse::<f64>().map_or_else(|_| value.into(), Value::from),
        Some("boolean") => value.parse::<bool>().map_or_else(|_| value.into(), Value::from),
        _ => value.into(),
    }
}
