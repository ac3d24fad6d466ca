//! The catalogue: every tool, in the order in which a person would read them.

mod brand_summary;
mod compare_brands;
mod compare_engines;
mod compare_runs;
mod explain_metric;
mod find_gaps;
mod get_run_details;
mod list_brands;
mod list_prompt_runs;
mod list_prompts;
mod list_sources;
mod plans;
mod query_sql;
mod search_answers;
mod support;
mod sync_now;
mod top_citations;
mod visibility_trend;

pub use brand_summary::BrandSummary;
pub use compare_brands::CompareBrands;
pub use compare_engines::CompareEngines;
pub use compare_runs::CompareRuns;
pub use explain_metric::ExplainMetric;
pub use find_gaps::FindGaps;
pub use get_run_details::GetRunDetails;
pub use list_brands::ListBrands;
pub use list_prompt_runs::ListPromptRuns;
pub use list_prompts::ListPrompts;
pub use list_sources::ListSources;
pub use query_sql::QuerySql;
pub use search_answers::SearchAnswers;
pub use sync_now::SyncNow;
pub use top_citations::TopCitations;
pub use visibility_trend::VisibilityTrend;

use crate::mcp::Registry;

/// All tools.
#[must_use]
pub fn catalogue() -> Registry {
    Registry::new()
        .with::<ListSources>()
        .with::<ListBrands>()
        .with::<ListPrompts>()
        .with::<ListPromptRuns>()
        .with::<GetRunDetails>()
        .with::<BrandSummary>()
        .with::<CompareBrands>()
        .with::<CompareEngines>()
        .with::<VisibilityTrend>()
        .with::<TopCitations>()
        .with::<FindGaps>()
        .with::<SearchAnswers>()
        .with::<CompareRuns>()
        .with::<ExplainMetric>()
        .with::<SyncNow>()
        .with_guides(plans::PLANS, plans::DOCUMENTS, plans::complete)
}

/// All tools, and the one that a person must ask for when the server is started: SQL over the documented views.
#[must_use]
pub fn catalogue_with_sql() -> Registry {
    catalogue().with::<QuerySql>()
}
