//! `demo`: a cache of demo data, a brand's summary, and how to connect a client to it.

use super::{Context, Failure, Global, Status, output, sync};
use crate::tools;
use clap::Args;
use serde_json::{Map, json};

#[derive(Debug, Args)]
pub(super) struct Demo {}

impl Demo {
    #[expect(clippy::unused_self, reason = "every command has the same shape")]
    pub(super) fn run(&self, global: &Global) -> Result<Status, Failure> {
        let global = Global { config: None, cache: global.cache.clone(), demo: true, verbose: global.verbose };
        let context = Context::new(&global, None)?;
        output::note("Syncing demo data from two built-in trackers: no key, no network.");
        let report = sync::now(&context, &[])?;
        for source in &report.sources {
            let counts = source.counts;
            output::note(&format!(
                "{}: {} projects, {} runs",
                source.source,
                source.projects,
                counts.added + counts.unchanged + counts.changed,
            ));
        }
        output::note(&format!("They are in {}", context.store.path().display()));
        output::note("");
        let registry = tools::catalogue();
        let backend = context.backend();
        let call = |tool: &str, arguments: &Map<String, serde_json::Value>| {
            registry.call(tool, arguments, &backend, Context::limits())
        };
        let sources = call("list_sources", &Map::new())?;
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
