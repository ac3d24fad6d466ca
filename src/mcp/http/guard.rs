//! What every request passes, whatever its route: Host, Origin, who asks, rate, size, and how many at once.

use super::{
    HttpLimits, HttpOptions, Peer,
    resource::{self, ProtectedResource},
    sessions::Sessions,
};
use crate::mcp::{Principal, metrics::Metrics};
use axum::{
    body::Body,
    extract::{Extension, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::future::BoxFuture;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _, clock::DefaultClock};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use std::{
    borrow::Cow,
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

/// Says who asks.
pub trait Authenticate: Send + Sync {
    /// Who holds this bearer token; none where the request has none.
    fn authenticate<'a>(&'a self, token: Option<&'a str>) -> BoxFuture<'a, Result<Arc<Principal>, Denied>>;

    /// What a principal who may not sync is asked to bring, where there is something that they could get.
    fn to_sync(&self, _: &Principal) -> Option<Denied> {
        None
    }
}

/// Why a request is not let in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Denied {
    /// 401 where a token is missing or not accepted, 403 where it does not reach far enough, 503 where nobody can tell.
    pub status: StatusCode,
    /// What helps: `WWW-Authenticate` with what it must bring, or `Retry-After`.
    pub header: (HeaderName, String),
    /// Why, for a person.
    pub words: &'static str,
}

/// Everybody who can reach the server is its owner: on loopback alone.
#[derive(Debug)]
pub struct Open;

impl Authenticate for Open {
    fn authenticate<'a>(&'a self, _: Option<&'a str>) -> BoxFuture<'a, Result<Arc<Principal>, Denied>> {
        Box::pin(async { Ok(Arc::new(Principal::owner())) })
    }
}

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
// A burst is as many requests as so many seconds bring.
const BURST_SECONDS: u32 = 10;
// How many times the largest body is read before a client is cut off.
const READ_ON: usize = 16;
// After so many requests, clients that have long been quiet are forgotten.
const FORGET_AFTER: u32 = 4_096;

/// A request that is not let through: why, in plain words.
pub(super) struct Refusal {
    status: StatusCode,
    words: &'static str,
    header: Option<(HeaderName, String)>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, words: &'static str) -> Self {
        Self { status, words, header: None }
    }

    fn with(self, name: HeaderName, value: impl Into<String>) -> Self {
        Self { header: Some((name, value.into())), ..self }
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Self { status: denied.status, words: denied.words, header: Some(denied.header) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, format!("{}\n", self.words)).into_response();
        if let Some((name, Ok(value))) = self.header.map(|(name, value)| (name, HeaderValue::from_str(&value))) {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// A request counts as at work while it has these: one of all, one of its client's.
type Permits = (OwnedSemaphorePermit, OwnedSemaphorePermit);

/// The guards of one server.
pub(super) struct Guards {
    hosts: Vec<String>,
    origins: Vec<String>,
    access: Arc<dyn super::Authenticate>,
    resource: Option<Arc<ProtectedResource>>,
    /// Tools that only those may call who may sync.
    writing: Vec<&'static str>,
    rate: DefaultKeyedRateLimiter<String>,
    asked: AtomicU32,
    at_once: Arc<Semaphore>,
    at_once_each: Mutex<HashMap<String, Arc<Semaphore>>>,
    limits: HttpLimits,
    sessions: Arc<Sessions>,
    metrics: Option<Arc<Metrics>>,
}

impl Guards {
    pub(super) fn new(
        options: &HttpOptions,
        writing: Vec<&'static str>,
        sessions: Arc<Sessions>,
        metrics: Option<Arc<Metrics>>,
    ) -> Self {
        let limits = options.limits.clone();
        let rate = NonZeroU32::new(limits.rate).unwrap_or(NonZeroU32::MIN);
        let quota =
            Quota::per_second(rate).allow_burst(rate.saturating_mul(NonZeroU32::MIN.saturating_add(BURST_SECONDS - 1)));
        Self {
            hosts: options.hosts.iter().map(|host| host.to_lowercase()).collect(),
            origins: options.origins.clone(),
            access: Arc::clone(&options.access),
            resource: options.resource.clone(),
            writing,
            rate: RateLimiter::keyed(quota),
            asked: AtomicU32::new(0),
            at_once: Arc::new(Semaphore::new(limits.at_once)),
            at_once_each: Mutex::default(),
            limits,
            sessions,
            metrics,
        }
    }

    /// Is the server called by one of its names? Another name is a web page's that points at this machine.
    fn allows_host(&self, host: &str) -> bool {
        // Without the port; an address of version 6 stands in brackets.
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() => name,
            _ => host,
        };
        let name = name.to_lowercase();
        LOOPBACK.contains(&name.as_str()) || self.hosts.contains(&name)
    }

    pub(super) fn allows_origin(&self, origin: &HeaderValue) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        if self.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) {
            return true;
        }
        let Ok(url) = Url::parse(origin) else { return false };
        matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| LOOPBACK.contains(&host))
    }

    /// The route, as figures name it.
    fn route(&self, path: &str) -> &'static str {
        if self.resource.as_ref().is_some_and(|resource| resource.is_described_at(path)) {
            return resource::WELL_KNOWN;
        }
        let known = ["/mcp", "/sse", "/messages", "/metrics", "/health/live", "/health/ready"];
        known.into_iter().find(|route| *route == path).unwrap_or("other")
    }

    /// Waits until no request is at work.
    pub(super) async fn quiet(&self) {
        let all = u32::try_from(self.limits.at_once).unwrap_or(u32::MAX);
        let _ = self.at_once.acquire_many(all).await;
    }

    /// Room for one more request of a client; none where it has as many at work as it may have, or all have together.
    fn room(&self, client: &str) -> Option<Permits> {
        let all = Arc::clone(&self.at_once).try_acquire_owned().ok()?;
        let mut each = self.at_once_each.lock().unwrap_or_else(PoisonError::into_inner);
        let own = each.entry(client.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(self.limits.at_once_each)));
        Some((all, Arc::clone(own).try_acquire_owned().ok()?))
    }

    fn is_too_fast(&self, client: &str) -> Option<u64> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % FORGET_AFTER == FORGET_AFTER - 1 {
            self.rate.retain_recent();
            let mut each = self.at_once_each.lock().unwrap_or_else(PoisonError::into_inner);
            each.retain(|_, own| own.available_permits() < self.limits.at_once_each);
        }
        let wait = self.rate.check_key(&client.to_owned()).err()?.wait_time_from(DefaultClock::default().now());
        Some(wait.as_secs() + 1)
    }
}

/// Lets a request through, or says why not.
pub(super) async fn guard(
    State(guards): State<Arc<Guards>>,
    Extension(peer): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let route = guards.route(request.uri().path());
    let response = match guarded(&guards, peer, route, request, next).await {
        Ok(response) => response,
        Err(refusal) => {
            // Who floods the server must not flood its log.
            let (status, client, why) = (refusal.status.as_u16(), peer.0.ip(), refusal.words);
            if refusal.status == StatusCode::TOO_MANY_REQUESTS {
                tracing::debug!(route, status, %client, why, "refused");
            } else {
                tracing::info!(route, status, %client, why, "refused");
            }
            refusal.into_response()
        }
    };
    if let Some(metrics) = &guards.metrics {
        metrics.request(route, response.status().as_u16());
    }
    response
}

async fn guarded(
    guards: &Arc<Guards>,
    peer: Peer,
    route: &'static str,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let (mut parts, body) = request.into_parts();
    by_name(guards, &parts)?;
    // One client: whose token it is, else where it comes from.
    let mut client = format!("from {}", peer.0.ip());
    if route.starts_with("/health") || route == resource::WELL_KNOWN {
        // Whoever watches the server, or asks how to be let in, is not held up by those who ask it.
        slow_enough(guards, &format!("{route} {client}"))?;
    } else {
        let principal = let_in(guards, &parts.headers, &client).await?;
        if principal.name != Principal::owner().name {
            client.clone_from(&principal.name);
        }
        slow_enough(guards, &client)?;
        if route == "/metrics" && principal.projects != crate::store::Allowed::All {
            return Err(Refusal::new(StatusCode::FORBIDDEN, "figures are for those who see every project"));
        }
        parts.extensions.insert(principal);
    }
    let permits = guards.room(&client).ok_or_else(busy)?;
    let body = tokio::time::timeout(guards.limits.body_time, whole(body, guards.limits.body)).await;
    let body = body.map_err(|_| Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body took too long"))??;
    let asked = Asked::of(&parts, &body);
    if route == "/mcp" {
        asked.may_use_session(guards).await?;
        asked.may_call(guards, &body)?;
    }
    let mut response = next.run(Request::from_parts(parts, Body::from(body))).await;
    if let Some(id) = response.headers().get(&SESSION).and_then(|id| id.to_str().ok())
        && let (None, Some(principal)) = (&asked.session, &asked.principal)
    {
        guards.sessions.opened(id, principal).await;
    }
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Streams that stay open are bounded by their sessions.
    Ok(if asked.method == Method::POST { holding(response, permits) } else { response })
}

/// The whole body. One that is too large is read on for a while and thrown away: a client that is cut off while it sends
/// does not read why.
async fn whole(mut body: Body, most: usize) -> Result<Vec<u8>, Refusal> {
    let (mut bytes, mut size) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "the body broke off"))?;
        let Some(part) = frame.data_ref() else { continue };
        size = size.saturating_add(part.len());
        if size <= most {
            bytes.extend_from_slice(part);
        } else if size > most.saturating_mul(READ_ON) {
            break;
        }
    }
    if size > most {
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than this server takes"));
    }
    Ok(bytes)
}

/// What a request says of its session.
struct Asked {
    method: Method,
    session: Option<String>,
    /// It is the one message that opens a session, whatever its headers say.
    opens: bool,
    principal: Option<Arc<Principal>>,
}

impl Asked {
    fn of(parts: &Parts, body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Message<'a> {
            #[serde(borrow)]
            method: Cow<'a, str>,
        }
        let message = serde_json::from_slice::<Message<'_>>(body);
        Self {
            method: parts.method.clone(),
            session: parts.headers.get(&SESSION).and_then(|id| id.to_str().ok()).map(str::to_owned),
            // What is no plain message may be one to a more lenient reader.
            opens: parts.method == Method::POST && !message.is_ok_and(|message| message.method != "initialize"),
            principal: parts.extensions.get::<Arc<Principal>>().cloned(),
        }
    }

    /// Who may not sync, and could be let, hears of it in a way that their client can act on.
    fn may_call(&self, guards: &Guards, body: &[u8]) -> Result<(), Refusal> {
        #[derive(Deserialize)]
        struct Call<'a> {
            #[serde(borrow)]
            method: Cow<'a, str>,
            params: Named<'a>,
        }
        #[derive(Deserialize)]
        struct Named<'a> {
            #[serde(borrow)]
            name: Cow<'a, str>,
        }
        let Some(principal) = self.principal.as_ref().filter(|principal| !principal.may_sync) else { return Ok(()) };
        // What is not understood here is the tool's to refuse.
        match serde_json::from_slice::<Call<'_>>(body) {
            Ok(call) if call.method == "tools/call" && guards.writing.contains(&call.params.name.as_ref()) => {
                guards.access.to_sync(principal).map_or(Ok(()), |denied| Err(denied.into()))
            }
            _ => Ok(()),
        }
    }

    /// A session is used by whom it was opened for, and no more are opened than there is room for.
    async fn may_use_session(&self, guards: &Guards) -> Result<(), Refusal> {
        if let (Some(id), Some(principal)) = (&self.session, &self.principal)
            && !guards.sessions.is_of(id, principal)
        {
            return Err(Refusal::new(StatusCode::NOT_FOUND, "no such session; open one with initialize"));
        }
        if self.opens && self.session.is_none() && !guards.sessions.has_room().await { Err(full()) } else { Ok(()) }
    }
}

fn by_name(guards: &Guards, parts: &Parts) -> Result<(), Refusal> {
    let named = parts.headers.get(header::HOST).map(|host| host.to_str().unwrap_or_default().to_owned());
    let host = named.or_else(|| parts.uri.authority().map(ToString::to_string));
    let Some(host) = host else { return Err(Refusal::new(StatusCode::BAD_REQUEST, "the Host header is missing")) };
    if !guards.allows_host(&host) {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "this server does not go by that name; whoever runs it allows names with --allow-host",
        ));
    }
    match parts.headers.get(header::ORIGIN) {
        Some(origin) if !guards.allows_origin(origin) => Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "web pages of that origin may not call this server; whoever runs it allows origins with --allow-origin",
        )),
        _ => Ok(()),
    }
}

async fn let_in(guards: &Guards, headers: &HeaderMap, client: &str) -> Result<Arc<Principal>, Refusal> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let denied = match guards.access.authenticate(token).await {
        Ok(principal) => return Ok(principal),
        Err(denied) => denied,
    };
    // Whoever tries tokens is slowed down by where they come from.
    slow_enough(guards, &format!("denied {client}"))?;
    Err(denied.into())
}

fn slow_enough(guards: &Guards, client: &str) -> Result<(), Refusal> {
    guards.is_too_fast(client).map_or(Ok(()), |seconds| {
        let words = "too many requests; wait as long as Retry-After says";
        Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, words).with(header::RETRY_AFTER, seconds.to_string()))
    })
}

/// As many requests are at work as may be.
pub(super) fn busy() -> Refusal {
    let words = "too many requests at once; try again";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, words).with(header::RETRY_AFTER, "1")
}

/// As many sessions are open as may be.
pub(super) fn full() -> Refusal {
    let words = "too many sessions are open; idle ones end within minutes";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, words).with(header::RETRY_AFTER, "30")
}

/// The request counts as at work until its answer is sent.
fn holding(response: Response, permits: Permits) -> Response {
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _ = &permits;
            frame
        }))
    })
}

/// The figures of the server.
pub(super) async fn figures(State(guards): State<Arc<Guards>>) -> Response {
    let sessions = guards.sessions.count().await;
    match guards.metrics.as_ref().map(|metrics| metrics.text(sessions)) {
        Some(Ok(text)) => {
            ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
                .into_response()
        }
        _ => Refusal::new(StatusCode::NOT_FOUND, "figures are not kept").into_response(),
    }
}
