//! A request from its arrival to its answer: limit, faults, credential, schema, root fields, `data` and `errors`.

use super::{
    Inner, LOGGED, LoggedRequest, PATH,
    auth::Identity,
    cx::Cx,
    faults::{self, Fault, Met},
    problem::Problem,
    request::{self, Body, Outline, Selected},
    roots::is_public,
    select::Selector,
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
    body::to_bytes,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use serde_json::{Map, Value, json};
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};
use tokio::time::Instant;

/// The longest body that is read.
const LONGEST: usize = 4 << 20;

pub(super) fn app(inner: &Arc<Inner>) -> Router {
    Router::new().fallback(handle).with_state(Arc::clone(inner))
}

/// What is sent, before faults of the way.
struct Reply {
    status: StatusCode,
    content_type: &'static str,
    body: String,
    retry_after: Option<u64>,
    codes: Vec<String>,
}

impl Reply {
    fn text(status: StatusCode, body: &str) -> Self {
        let codes = Vec::new();
        Self { status, content_type: "text/plain; charset=utf-8", body: body.to_owned(), retry_after: None, codes }
    }

    fn json(status: StatusCode, body: &Value) -> Self {
        let errors = body.get("errors").and_then(Value::as_array);
        let code = |error: &Value| Some(error.get("extensions")?.get("code")?.as_str()?.to_owned());
        let codes = errors.into_iter().flatten().filter_map(code).collect();
        let content_type = "application/json; charset=utf-8";
        Self { status, content_type, body: body.to_string(), retry_after: None, codes }
    }

    /// A request that was refused as a whole.
    fn refused(status: StatusCode, problems: &[Problem], with_data: bool) -> Self {
        let errors: Vec<Value> = problems.iter().map(|problem| problem.json(None)).collect();
        let body = if with_data { json!({ "errors": errors, "data": null }) } else { json!({ "errors": errors }) };
        Self::json(status, &body)
    }
}

/// A request as far as it could be read.
struct Asked {
    body: Result<Body, String>,
    outline: Outline,
    headers: HeaderMap,
    faults: Vec<Met>,
}

async fn handle(State(inner): State<Arc<Inner>>, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut identity = Identity::Nobody;
    let (mut reply, asked) = if parts.uri.path() != PATH {
        (Reply::text(StatusCode::NOT_FOUND, "Not Found"), None)
    } else if parts.method != Method::POST {
        (Reply::text(StatusCode::METHOD_NOT_ALLOWED, "Only POST is supported"), None)
    } else if let Ok(bytes) = to_bytes(body, LONGEST).await {
        let body: Result<Body, String> = serde_json::from_slice(&bytes).map_err(|error| error.to_string());
        let outline = body.as_ref().map(outline).unwrap_or_default();
        let faults = inner.faults.strike(outline.operation.as_deref(), &outline.fields);
        let asked = Asked { body, outline, headers: parts.headers, faults };
        (reply(&inner, &asked, &mut identity), Some(asked))
    } else {
        (Reply::text(StatusCode::PAYLOAD_TOO_LARGE, "Payload Too Large"), None)
    };
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = reply.status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    if let Some(seconds) = reply.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    let way = asked.as_ref().map(|asked| faults::way(&asked.faults)).unwrap_or_default();
    doors::send(&mut response, std::mem::take(&mut reply.body), way, line);
    log(&inner, asked, identity, reply);
    response
}

fn outline(body: &Body) -> Outline {
    let document = request::parse(body.query.as_deref().unwrap_or_default());
    document.map(|document| request::outline(&document, body.operation.as_deref())).unwrap_or_default()
}

fn log(inner: &Inner, asked: Option<Asked>, identity: Identity, reply: Reply) {
    let (outline, body) = asked.map(|asked| (asked.outline, asked.body)).unzip();
    let outline = outline.unwrap_or_default();
    let mut fields: Vec<(String, usize)> = Vec::new();
    for field in outline.fields {
        match fields.iter_mut().find(|(name, _)| *name == field) {
            Some((_, count)) => *count += 1,
            None => fields.push((field, 1)),
        }
    }
    let mut log = lock(&inner.log);
    if log.len() >= LOGGED {
        log.drain(..LOGGED / 2);
    }
    log.push(LoggedRequest {
        operation: outline.operation,
        fields,
        variables: body.and_then(Result::ok).and_then(|body| body.variables).map_or(Value::Null, Value::Object),
        credential: identity.credential(),
        at: Clock::system().now(),
        status: reply.status.as_u16(),
        codes: reply.codes,
    });
}

fn reply(inner: &Inner, asked: &Asked, identity: &mut Identity) -> Reply {
    // All requests come from this machine; the address is what a limit per address would count.
    if !lock(&inner.windows).admit(IpAddr::V4(Ipv4Addr::LOCALHOST), Instant::now()) {
        return Reply::text(StatusCode::TOO_MANY_REQUESTS, "Too many requests, please try again later.");
    }
    if let Some(reply) = asked.faults.iter().find_map(|(_, fault)| broken(fault)) {
        return reply;
    }
    for (_, fault) in &asked.faults {
        match fault {
            Fault::RevokeCredentials => lock(&inner.auth).revoked = true,
            Fault::EndSessions => lock(&inner.auth).end_sessions(),
            _ => {}
        }
    }
    let options = &inner.options;
    let accounts: Vec<u64> = {
        let tracker = lock(&inner.state).tracker();
        tracker.accounts().iter().filter(|account| !account.foreign).map(|account| account.id).collect()
    };
    *identity = lock(&inner.auth).identify(&asked.headers, &accounts, Clock::system().now());
    let fields = &asked.outline.fields;
    let public = !fields.is_empty() && fields.iter().all(|field| is_public(field));
    if *identity == Identity::Nobody && !public {
        let status = if options.unauthenticated_is_200 { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        return Reply::refused(status, &[Problem::unauthenticated()], true);
    }
    let invalid = if options.invalid_is_200 { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let body = match &asked.body {
        Ok(body) => body,
        Err(error) => return Reply::refused(invalid, &[Problem::bad_request(format!("Invalid JSON: {error}"))], false),
    };
    let Some(query) = &body.query else {
        let problem = Problem::bad_request("GraphQL operations must contain a non-empty `query`.");
        return Reply::refused(invalid, &[problem], false);
    };
    let document = match request::parse(query) {
        Ok(document) => document,
        Err(problem) => return Reply::refused(invalid, &[problem], false),
    };
    let roots = match request::plan(&inner.schema, options.spelling, &document, body) {
        Ok(roots) => roots,
        Err(problems) => return Reply::refused(invalid, &problems, false),
    };
    if options.max_fields.is_some_and(|most| roots.len() > most) {
        return Reply::refused(invalid, &[Problem::input("The query is too complex.")], false);
    }
    answer(inner, asked, *identity, roots)
}

/// The reply of a server that is out of order.
fn broken(fault: &Fault) -> Option<Reply> {
    Some(match fault {
        Fault::Internal => Reply::refused(StatusCode::INTERNAL_SERVER_ERROR, &[Problem::internal()], false),
        Fault::Html => Reply {
            content_type: "text/html",
            ..Reply::text(
                StatusCode::BAD_GATEWAY,
                "<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>502</h1></body></html>",
            )
        },
        Fault::TooMany { retry_after } => Reply {
            retry_after: *retry_after,
            ..Reply::text(StatusCode::TOO_MANY_REQUESTS, "Too many requests, please try again later.")
        },
        _ => return None,
    })
}

/// Answers every root field, and puts the answers and errors together.
fn answer(inner: &Inner, asked: &Asked, identity: Identity, mut roots: Vec<Selected>) -> Reply {
    let options = &inner.options;
    for (target, _) in asked.faults.iter().filter(|(_, fault)| *fault == Fault::CursorIgnored) {
        for root in roots.iter_mut().filter(|root| faults::is_about(target, root)) {
            root.arguments.remove("after");
        }
    }
    let selector = Selector { schema: &inner.schema, spelling: options.spelling };
    let (mut data, mut errors) = (Map::new(), Vec::new());
    let mut all_forbidden = !roots.is_empty();
    {
        let mut state = lock(&inner.state);
        let tracker = state.tracker();
        let now = Clock::system().now();
        let mut cx = Cx { tracker: &*tracker, state: &mut state, options, auth: &inner.auth, identity, now };
        if asked.faults.iter().any(|(_, fault)| *fault == Fault::Arriving) {
            roots.iter().filter(|root| root.name == "getAiVisibilityPromptRuns").for_each(|root| cx.arrive(root));
        }
        for root in &roots {
            let spoiled = spoiled(&asked.faults, root, &roots);
            let answered = spoiled.map_or_else(|| cx.answer(root), Err);
            all_forbidden &= answered.as_ref().is_err_and(|problem| problem.code == "FORBIDDEN");
            match answered {
                Ok(value) => drop(data.insert(root.key.clone(), selector.root(root, &value))),
                Err(problem) => {
                    data.insert(root.key.clone(), Value::Null);
                    errors.push(problem.json(Some(&root.key)));
                }
            }
        }
    }
    let deep = change(&asked.faults, &roots, &mut data);
    let nothing = asked.faults.iter().any(|(_, fault)| *fault == Fault::NoData);
    let nothing = nothing || (options.failure_nulls_all && !errors.is_empty());
    let mut body = Map::new();
    if !errors.is_empty() {
        body.insert("errors".to_owned(), Value::Array(errors));
    }
    body.insert("data".to_owned(), if nothing { Value::Null } else { Value::Object(data) });
    let forbidden = all_forbidden && options.forbidden_is_403;
    let status = if forbidden { StatusCode::FORBIDDEN } else { StatusCode::OK };
    let mut reply = Reply::json(status, &Value::Object(body));
    if let Some((mark, levels)) = deep {
        // Written as text, since a value this deep could not even be dropped.
        let lists = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        reply.body = reply.body.replace(&format!("\"{mark}\""), &lists);
    }
    reply
}

/// The error that a fault gives this root field instead of its answer.
fn spoiled(met: &[Met], root: &Selected, roots: &[Selected]) -> Option<Problem> {
    met.iter().find_map(|(target, fault)| {
        let Fault::Partial { nth, code } = fault else { return None };
        let hit = roots.iter().filter(|root| faults::is_about(target, root)).nth(*nth)?;
        (hit.key == root.key).then(|| Problem { code, message: "Something went wrong with this field.".to_owned() })
    })
}

/// Stands where lists inside lists are to stand.
const DEEP: &str = "\u{1}lists inside lists\u{1}";

/// Does to the answers what faults do; tells how deep lists are to be, and what stands in their place.
fn change(met: &[Met], roots: &[Selected], data: &mut Map<String, Value>) -> Option<(String, usize)> {
    let mut deep = None;
    for (target, fault) in met {
        for root in roots.iter().filter(|root| faults::is_about(target, root)) {
            let Some(value) = data.get_mut(&root.key) else { continue };
            match fault {
                Fault::Nodes { change, count } => faults::change(value, *change, *count),
                Fault::Deep { levels } => {
                    let place = if value.get("nodes").is_some() { value.get_mut("nodes") } else { Some(value) };
                    if let Some(place) = place {
                        *place = json!(DEEP);
                    }
                    // As the text of the answer has it.
                    let mark = json!(DEEP).to_string();
                    deep = Some((mark.trim_matches('"').to_owned(), *levels));
                }
                _ => {}
            }
        }
    }
    deep
}
