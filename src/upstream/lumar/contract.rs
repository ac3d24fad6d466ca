//! What Lumar documents of its records, for noticing what changed. Fields that are only inferred are optional.

use crate::upstream::fields::Contract;

/// The statuses that the documentation names.
pub(super) const STATUSES: &[&str] = &["pending", "running", "finished", "failed"];

/// Providers and what we call them; compared without case.
pub(super) const ENGINES: &[(&str, &str)] = &[
    ("openaiapi", "chatgpt"),
    ("geminiapi", "gemini"),
    ("perplexityapi", "perplexity"),
    ("anthropicapi", "claude"),
    ("grokapi", "grok"),
    ("xaiapi", "grok"),
    ("googleaimode", "google_ai_mode"),
    ("googleaioverview", "google_ai_overviews"),
    ("googleaioverviews", "google_ai_overviews"),
];

/// The figures of a day, with their names here: the first that is there counts.
pub(super) const SCORES: &[(&[&str], &str)] = &[
    // The second is the deprecated name of the first.
    (&["avgVisibilityIndex", "avgVisibilityScore"], "visibility_index"),
    (&["avgPresenceRate"], "presence_rate_percent"),
    (&["avgQualityScore"], "quality_score"),
    (&["avgCitationQualityScore"], "citation_quality_score"),
    (&["avgBrandMentionQualityScore"], "mention_quality_score"),
    (&["totalBrandCitations"], "citations"),
    (&["totalBrandMentions"], "mentions"),
    (&["totalRuns"], "runs"),
];

pub(super) const SESSION: Contract =
    Contract { record: "Session", promised: &["token"], optional: &["expiresAt"], open: false };

/// Anything around records: connections, accounts, the user.
pub(super) const FRAME: Contract = Contract { record: "Connection", promised: &[], optional: &[], open: true };

pub(super) const PROJECT: Contract = Contract {
    record: "AiVisibilityProjectListItem",
    promised: &["id", "rawId", "name", "totalPrompts", "primaryBrandDomain", "primaryBrandRawId"],
    optional: &["totalTopics", "aiProviderTypes", "scheduleCadence", "createdAt", "updatedAt"],
    open: false,
};

pub(super) const BRAND: Contract = Contract {
    record: "AiVisibilityBrandListItem",
    promised: &["id", "rawId", "name", "type", "primary", "domain"],
    optional: &["mergedIntoAiVisibilityBrandRawId"],
    open: false,
};

pub(super) const PROMPT: Contract = Contract {
    record: "AiVisibilityPromptListItem",
    promised: &["id", "rawId", "content", "topicName", "totalRuns", "totalBrandCitations", "totalBrandMentions"],
    optional: &[
        "avgVisibilityScore",
        "avgCitationQualityScore",
        "avgBrandMentionQualityScore",
        "avgBrandPosition",
        "avgBrandSentiment",
    ],
    open: false,
};

pub(super) const RUN: Contract = Contract {
    record: "AiVisibilityPromptRunListItem",
    promised: &[
        "id",
        "rawId",
        "status",
        "aiProviderType",
        "brandVisible",
        "totalBrandCitations",
        "totalBrandMentions",
        "bestBrandPosition",
        "avgBrandSentiment",
        "createdAt",
    ],
    optional: &["failureReason"],
    open: false,
};

pub(super) const DETAILS: Contract = Contract {
    record: "AiVisibilityPromptRunDetails",
    promised: &[
        "aiProviderType",
        "promptText",
        "topicName",
        "fullAnswerText",
        "brandVisible",
        "totalBrandCitations",
        "totalBrandMentions",
        "bestBrandPosition",
        "avgBrandSentiment",
        "visibilityScore",
        "brandCitations",
        "brandMentions",
        "otherBrandCitations",
        "createdAt",
    ],
    optional: &["searchQueries"],
    open: false,
};

pub(super) const CITATION: Contract = Contract {
    record: "AiVisibilityPromptRunCitation",
    promised: &["url", "position"],
    optional: &["citationQualityScore", "brandName", "brandType"],
    open: false,
};

pub(super) const MENTION: Contract = Contract {
    record: "AiVisibilityPromptRunMention",
    promised: &["brandName", "brandType", "brandMentionQualityScore", "sentiment", "sentimentJustification"],
    optional: &[],
    open: false,
};

pub(super) const SCORE: Contract = Contract {
    record: "AiVisibilityVisibilityScore",
    promised: &["date"],
    optional: &[
        "avgVisibilityScore",
        "avgVisibilityIndex",
        "avgPresenceRate",
        "avgQualityScore",
        "avgCitationQualityScore",
        "avgBrandMentionQualityScore",
        "totalBrandCitations",
        "totalBrandMentions",
        "totalRuns",
    ],
    open: false,
};
