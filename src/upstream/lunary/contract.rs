//! What Lunary's runs are known to hold, for noticing what changed. The fields are those of real answers; where the
//! published reference differs from them, the answers count.

use crate::upstream::{
    DriftKind,
    fields::{Contract, DriftLog, Fields},
};

/// The statuses that occur.
pub(super) const STATUSES: &[&str] = &["started", "success", "error"];

/// Each evaluator adds a field of its own to the runs it has seen: this and its id.
pub(super) const ENRICHMENT: &str = "enrichment-";

/// A run, as the list gives it. Open, since evaluators add fields: see [`note_new_fields`].
pub(super) const RUN: Contract = Contract {
    record: "Run",
    promised: &[
        "id",
        "projectId",
        "isPublic",
        "feedback",
        "type",
        "name",
        "createdAt",
        "endedAt",
        "duration",
        "templateVersionId",
        "cost",
        "tokens",
        "tags",
        "input",
        "output",
        "error",
        "status",
        "params",
        "metadata",
        "user",
    ],
    optional: &[
        "parentFeedback",
        "feedbacks",
        "templateSlug",
        "toxicity",
        "scores",
        "traceId",
        "siblingRunId",
        "parentRunId",
        "firstMessage",
        "messagesCount",
    ],
    open: true,
};

/// A run asked for by its id: read for its trace alone.
pub(super) const RUN_BY_ID: Contract = Contract { record: "RunById", promised: &[], optional: &[], open: true };

/// The person, where a run names one.
pub(super) const USER: Contract = Contract { record: "RunUser", promised: &[], optional: &[], open: true };

/// Notes fields that nobody has seen so far.
pub(super) fn note_new_fields(run: &Fields<'_, '_>, drift: &DriftLog) {
    let is_known =
        |name: &str| RUN.promised.contains(&name) || RUN.optional.contains(&name) || name.starts_with(ENRICHMENT);
    for (name, _) in run.entries().filter(|(name, _)| !is_known(name)) {
        drift.note(RUN.record, name, DriftKind::NewField);
    }
}
