//! An answer before it is sent.

use super::{limits::Standing, problem::Problem};

/// What is sent, before headers and faults of the way.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: String,
    pub(super) retry_after: Option<u64>,
    pub(super) standing: Option<Standing>,
}

impl Reply {
    pub(super) fn of(content_type: &'static str, body: String) -> Self {
        Self { status: 200, content_type, body, retry_after: None, standing: None }
    }

    pub(super) fn json(body: &impl ToString) -> Self {
        Self::of("application/json; charset=utf-8", body.to_string())
    }

    pub(super) fn slow_down(retry_after: Option<u64>) -> Self {
        let sentence = "Sometimes You Just Have to Slow Down.".to_owned();
        Self { status: 429, retry_after, ..Self::of("text/plain; charset=utf-8", sentence) }
    }

    pub(super) fn html() -> Self {
        let page = "<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>502</h1></body></html>";
        Self { status: 502, ..Self::of("text/html", page.to_owned()) }
    }
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        Self { status: problem.status, ..Self::json(&problem.body()) }
    }
}
