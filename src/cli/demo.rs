//! `demo`: a cache of demo data, a brand's summary, and how to connect a client to it.

use super::{Context, Failure, Global, Status, output, sync};
use crate::tools;
use clap::Args;
use serde_json::{Map, Value, json};

#[derive(Debug, Args)]
pub(super) struct Demo {}

impl Demo {
    #[expect(clippy::unused_self, reason = "every command has the same shape")]
    pub(super) fn run(&self, global: &Global) -> Result<Status, Failure> {
        let global = Global { config: None, cache: global.cache.clone(), demo: true, verbose: global.verbose };
        let context = Context::new(&global, None)?;
        output::note("Syncing demo data from three built-in trackers: no key, no network.");
        let report = sync::now(&context, &[])?;
        let registry = tools::catalogue();
        let backend = context.backend();
        let call =
            |tool: &str, arguments: &Map<String, Value>| registry.call(tool, arguments, &backend, Context::limits());
        let sources = call("list_sources", &Map::new())?;
        for source in sources.get("sources").and_then(Value::as_array).into_iter().flatten() {
            let projects = source.get("projects").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let runs: u64 = projects.iter().map(runs_of).sum();
            let name = source.get("source").and_then(Value::as_str).unwrap_or_default();
            output::note(&format!("{name}: {} projects, {runs} runs", projects.len()));
        }
        output::note(&format!("They are in {}", context.store.path().display()));
        output::note("");
        let mut arguments = Map::new();
        if let Some(project) = sources.pointer("/sources/0/projects/0/project") {
            arguments.insert("project".to_owned(), project.clone());
        }
        let summary = call("brand_summary", &arguments)?;
        let shown = json!(arguments).to_string();
        output::data(&format!("$ visibility-mcp --demo call brand_summary --json '{shown}'"))?;
        output::data("")?;
        output::data(&output::answer(&summary))?;
        output::data("")?;
        output::data("The server is ready. Give this to an MCP client (Claude Desktop: claude_desktop_config.json):")?;
        output::data("")?;
        output::data(&client_config(&context)?)?;
        output::data("")?;
        output::data("Or ask from here:  visibility-mcp --demo call list_prompt_runs visible=false limit=5")?;
        Ok(if report.is_success() { Status::Success } else { Status::Failure })
    }
}

/// The runs of a project, whatever became of them.
fn runs_of(project: &Value) -> u64 {
    ["finished_runs", "failed_runs", "open_runs"].iter().filter_map(|count| project.get(count)?.as_u64()).sum()
}

/// What a client needs to start this very program on the demo's cache.
fn client_config(context: &Context) -> Result<String, Failure> {
    let program = std::env::current_exe()?;
    let mut args = vec!["serve".to_owned(), "--demo".to_owned()];
    if crate::config::demo_cache(&crate::config::Overrides::default()).ok().as_deref() != Some(context.store.path()) {
        let path = std::path::absolute(context.store.path())?;
        args.extend(["--cache".to_owned(), path.display().to_string()]);
    }
    let config = json!({"mcpServers": {"visibility-demo": {"command": program, "args": args}}});
    serde_json::to_string_pretty(&config).map_err(|error| Failure::new(error.to_string(), ""))
}
