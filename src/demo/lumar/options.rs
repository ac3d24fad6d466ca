//! How the server behaves where the documentation gives a number, contradicts itself or leaves a choice.

use super::values::Spelling;
use std::time::Duration;

/// How the server behaves; the default is what is documented, or what is likeliest.
#[derive(Clone, PartialEq, Debug)]
pub struct LumarOptions {
    /// Requests that an address may send in [`LumarOptions::rate_period`]; documented as 6,000.
    pub rate_limit: u32,
    /// Documented as five minutes.
    pub rate_period: Duration,
    /// How long a session lasts; documented as 30 days.
    pub session_life: Duration,
    /// Requests after which a session ends, if it ends by that.
    pub session_requests: Option<u32>,
    /// How enum values are spelled, and expected.
    pub spelling: Spelling,
    /// What the schema does not have: a type and its field, or `Type.field` and its argument.
    pub unknown_fields: Vec<(String, String)>,
    /// Root fields that one request may ask for, aliases counted.
    pub max_fields: Option<usize>,
    /// Answers what is wrong with a query, or with the values of its variables, with HTTP 200 instead of 400.
    pub invalid_is_200: bool,
    /// Answers a missing or wrong credential with HTTP 200 instead of 401.
    pub unauthenticated_is_200: bool,
    /// Answers a request of which every field is forbidden with HTTP 403 instead of 200.
    pub forbidden_is_403: bool,
    /// Calls a project, prompt, run, brand or topic that is not there `BAD_USER_INPUT` instead of `ENTITY_NOT_FOUND`.
    pub missing_is_bad_input: bool,
    /// Answers one failing field with no data at all, as the exclamation marks of the schema would have it.
    pub failure_nulls_all: bool,
    /// Answers the details of a failed run with an error instead of null.
    pub failed_details_are_errors: bool,
    /// Lists merged variants, with what they were merged into, instead of leaving them out.
    pub merged_are_listed: bool,
    /// Writes the dates of the score series as plain days.
    pub dates_are_days: bool,
}

impl Default for LumarOptions {
    fn default() -> Self {
        Self {
            rate_limit: 6_000,
            rate_period: Duration::from_mins(5),
            session_life: Duration::from_hours(30 * 24),
            session_requests: None,
            spelling: Spelling::Pascal,
            unknown_fields: Vec::new(),
            max_fields: None,
            invalid_is_200: false,
            unauthenticated_is_200: false,
            forbidden_is_403: false,
            missing_is_bad_input: false,
            failure_nulls_all: false,
            failed_details_are_errors: false,
            merged_are_listed: false,
            dates_are_days: false,
        }
    }
}

impl LumarOptions {
    /// As documented, but with a limit that does not slow a test or a demo down.
    #[must_use]
    pub fn unhurried() -> Self {
        Self { rate_limit: u32::MAX, ..Self::default() }
    }
}
