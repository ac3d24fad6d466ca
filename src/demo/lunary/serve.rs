//! A request from its arrival to its answer: faults, key, limit, the answer itself, headers.

use super::{
    BASE, Inner, LoggedRequest, answers,
    auth::{self, Access},
    faults::{self, Fault},
    json::written,
    limits::Standing,
    problem::Problem,
    reply::Reply,
};
use crate::{
    clock::Clock,
    demo::{
        doors::{self, Line},
        lock,
    },
};
use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use std::sync::{Arc, atomic::Ordering};
use tokio::time::Instant;

/// Requests that the log remembers; a demo may run for days.
const LOGGED: usize = 50_000;
/// Where a proxy tells whom it asks for; the real backend believes it.
const FORWARDED: &str = "x-forwarded-for";

pub(super) fn app(inner: &Arc<Inner>) -> Router {
    Router::new().fallback(handle).with_state(Arc::clone(inner))
}

async fn handle(State(inner): State<Arc<Inner>>, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    let path = request.uri().path();
    // Letters of either case lead to the same place.
    let below = path.get(..BASE.len()).filter(|base| base.eq_ignore_ascii_case(BASE));
    let below = below.and_then(|_| path.get(BASE.len()..)).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let faults = inner.faults.strike(below.unwrap_or_default());
    let reply = reply(&inner, &request, below, &faults);
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    dress(response.headers_mut(), &reply);
    log(&inner, &request, below.unwrap_or(path), reply.status);
    doors::send(&mut response, written(reply.body), faults::way(&faults), line);
    response
}

fn dress(headers: &mut HeaderMap, reply: &Reply) {
    if reply.status != 204 {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    }
    if let Some(seconds) = reply.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    let Some(standing) = &reply.standing else { return };
    headers.insert(HeaderName::from_static("rate-limit-total"), HeaderValue::from(standing.total));
    headers.insert(HeaderName::from_static("rate-limit-remaining"), HeaderValue::from(standing.remaining));
    if let Ok(reset) = HeaderValue::from_str(&standing.reset_text()) {
        headers.insert(HeaderName::from_static("rate-limit-reset"), reset);
    }
}

fn log(inner: &Inner, request: &Request, path: &str, status: u16) {
    let mut log = lock(&inner.log);
    if log.len() >= LOGGED {
        log.drain(..LOGGED / 2);
    }
    log.push(LoggedRequest {
        method: request.method().to_string(),
        path: path.to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        at: Clock::system().now(),
        status,
    });
}

/// Who asks comes first, then how often, then what.
fn reply(inner: &Inner, request: &Request, below: Option<&str>, faults: &[Fault]) -> Reply {
    for fault in faults {
        match fault {
            Fault::Internal => return Problem::internal("Internal server error").into(),
            Fault::Html => return Reply::html(),
            Fault::TooMany { retry_after } => return Reply::slow_down(*retry_after),
            Fault::RevokeKeys => inner.revoked.store(true, Ordering::Relaxed),
            _ => {}
        }
    }
    let path = below.map(|path| path.strip_suffix('/').unwrap_or(path).to_owned()).unwrap_or_default();
    let query = request.uri().query().unwrap_or_default();
    let is_get = request.method() == Method::GET || request.method() == Method::HEAD;
    let access = if is_get && answers::is_public(&path) {
        None
    } else {
        let projects = lock(&inner.state).projects();
        match auth::access(&projects, inner.revoked.load(Ordering::Relaxed), request.headers(), query) {
            Ok(access) => Some(access),
            Err(problem) => return problem.into(),
        }
    };
    let standing = standing(inner, request.headers(), access);
    if let Some(refused) = standing.filter(|standing| standing.retry_after.is_some()) {
        return Reply { standing, ..Reply::slow_down(refused.retry_after) };
    }
    let answered =
        if is_get { answers::answer(inner, &path, query, access, faults) } else { Err(Problem::not_found()) };
    Reply { standing, ..answered.unwrap_or_else(Reply::from) }
}

/// Counts the request, unless nobody counts.
fn standing(inner: &Inner, headers: &HeaderMap, access: Option<Access>) -> Option<Standing> {
    inner.options.rate_limit.filter(|_| access.is_none_or(|access| !access.is_session))?;
    let forwarded = headers.get(FORWARDED).and_then(|value| value.to_str().ok()?.split(',').next());
    Some(lock(&inner.windows).take(forwarded.map_or("127.0.0.1", str::trim), Instant::now()))
}
