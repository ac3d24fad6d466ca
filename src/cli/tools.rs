//! `tools`: the catalogue, as a client sees it.

use super::{Failure, Status, output};
use crate::tools;
use clap::Args;
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub(super) struct Tools {
    /// Print names, descriptions and schemas as JSON
    #[arg(long)]
    json: bool,
}

impl Tools {
    pub(super) fn run(&self) -> Result<Status, Failure> {
        let registry = tools::catalogue();
        if self.json {
            let tools: Vec<Value> = registry
                .tools()
                .map(|tool| {
                    json!({
                        "name": tool.name,
                        "title": tool.title,
                        "description": tool.description,
                        "inputSchema": *tool.input_schema,
                        "outputSchema": *tool.output_schema,
                    })
                })
                .collect();
            output::data(&json!({ "tools": tools }).to_string())?;
            return Ok(Status::Success);
        }
        for tool in registry.tools() {
            let first = tool.description.lines().next().unwrap_or_default();
            output::data(&format!("{}\n    {first}", tool.name))?;
            let properties = tool.input_schema.get("properties").and_then(Value::as_object);
            for (name, schema) in properties.into_iter().flatten() {
                let kind = schema.get("type").and_then(Value::as_str).unwrap_or("any");
                let words = schema.get("description").and_then(Value::as_str).unwrap_or_default();
                output::data(&format!("    {name}=<{kind}>  {words}"))?;
            }
            output::data("")?;
        }
        Ok(Status::Success)
    }
}
