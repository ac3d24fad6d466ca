//! What Verseodin documents of its records, for noticing what changed.

use crate::upstream::fields::Contract;

/// The engines that the documentation names; others do occur.
pub(super) const ENGINES: &[&str] = &["chatgpt", "gemini", "grok", "claude"];

/// The statuses that the documentation names.
pub(super) const STATUSES: &[&str] = &["pending", "processing", "completed", "failed"];

/// The history columns that the documentation names; `GET /metrics` has them all.
pub(super) const METRICS: &[&str] = &[
    "ai_coverage_over_time",
    "ai_trust_mentions",
    "ai_avg_trust_position",
    "ai_visibility_ranking",
    "ai_top_prompts_by_trust_mentions",
    "ai_visibility_index",
    "ai_citations_ranked_urls",
    "ai_competitive_analysis",
    "ai_domain_citation_count",
    "geo_competitor_analysis",
];

/// Columns of a history row that say which row it is, and no figure.
pub(super) const HISTORY_IDENTITY: &[&str] = &["id", "user_id", "universe_id", "day", "engine"];

/// A row of `GET /universes`.
pub(super) const UNIVERSE: Contract = Contract {
    record: "Universe",
    promised: &["id", "universe_name", "website", "status", "latest_day"],
    optional: &[],
    open: false,
};

/// `GET /universes/{id}`: a free-form object.
pub(super) const UNIVERSE_DETAIL: Contract =
    Contract { record: "UniverseDetail", promised: &[], optional: &[], open: true };

/// A website or a competitor, wherever one is described.
pub(super) const WEBSITE: Contract = Contract { record: "Website", promised: &[], optional: &[], open: true };

/// A row of `GET /universes/{id}/brands`.
pub(super) const BRAND_ROW: Contract = Contract {
    record: "BrandRow",
    promised: &[
        "brand_name",
        "trust_mentions",
        "share_of_voice",
        "visibility_rank",
        "ai_coverage_pct",
        "geo_coverage_pct",
        "geo_prompt_count",
    ],
    optional: &[],
    open: false,
};

/// A row of `GET /universes/{id}/history`: its columns are the upstream's to choose.
pub(super) const HISTORY_ROW: Contract =
    Contract { record: "HistoryRow", promised: &["day", "engine"], optional: &[], open: true };

/// A row of `GET /universes/{id}/prompts`: every documented column is promised.
pub(super) const PROMPT_ROW: Contract = Contract {
    record: "PromptRow",
    promised: &[
        "id",
        "day",
        "user_id",
        "universe_id",
        "job_id",
        "prompt_id",
        "prompt_text",
        "engine",
        "engine_account",
        "website",
        "competitor_websites",
        "priority_level",
        "provider",
        "attempts",
        "snapshot_id",
        "status",
        "error_text",
        "created_at",
        "started_at",
        "finished_at",
        "response_text",
        "appeared_links",
        "appeared_links_unique",
        "appeared_links_run1",
        "appeared_links_run2",
        "my_citations",
        "competitor_citations",
        "total_citations_count",
        "my_domain_citations_count",
        "my_brand_mentions_count",
        "model_used",
        "web_search_triggered",
        "cost_milli_cents",
    ],
    optional: &[],
    open: false,
};
