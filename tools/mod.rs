//! The catalogue: every tool, in the order in which a person would read them.

mod brand_summary;
mod get_run_details;
mod list_prompt_runs;
mod list_sources;
mod support;

pub use brand_summary::BrandSummary;
pub use get_run_details::GetRunDetails;
pub use list_prompt_runs::ListPromptRuns;
pub use list_sources::ListSources;

use crate::mcp::Registry;

/// All tools.
#[must_use]
pub fn catalogue() -> Registry {
    Registry::new().with::<ListSources>().with::<ListPromptRuns>().with::<GetRunDetails>().with::<BrandSummary>()
}
