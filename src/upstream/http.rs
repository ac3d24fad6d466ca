//! The one HTTP client of all upstreams: agent, timeouts, authentication, rate limit, retries, size limit.
//!
//! What upstreams write in their errors goes to the log, cleaned; an [`Error`] holds our words alone.

mod broken;
mod headers;

use super::{
    Error,
    rate::{Quota, RateLimit},
};
use backon::{ExponentialBuilder, Retryable};
use broken::{broken, chain};
use jiff::Timestamp;
use reqwest::{
    StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use tokio::time::Instant;
use url::{Host, Url};

const USER_AGENT: &str = concat!("visibility-mcp/", env!("CARGO_PKG_VERSION"));

/// How much of an error's body is read for the log.
const MAX_ERROR_BODY: usize = 8 * 1024;

/// How long we wait, how often we try and how much we read. The default suits the real upstreams.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// For a connection to be made.
    pub connect_timeout: Duration,
    /// Between two pieces of an answer.
    pub read_timeout: Duration,
    /// For one try, from the first byte sent to the last one read.
    pub total_timeout: Duration,
    /// Tries of one request, the first included.
    pub tries: u32,
    /// From the first try of a request to the start of its last one.
    pub budget: Duration,
    /// Before the second try; doubles from try to try, with jitter on top.
    pub first_delay: Duration,
    /// The longest single wait: an upstream that asks for more is given up on for now.
    pub max_delay: Duration,
    /// The largest body read, decompressed.
    pub max_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_mins(2),
            tries: 5,
            budget: Duration::from_mins(3),
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(90),
            max_bytes: 64 * 1024 * 1024,
        }
    }
}

/// Where a credential goes in a request.
#[derive(Clone, Debug)]
pub(super) enum Auth {
    /// `Authorization: Bearer KEY`.
    Bearer(SecretString),
    /// `x-api-key: KEY`.
    ApiKey(SecretString),
    /// `x-auth-token: TOKEN`.
    Token(SecretString),
    /// Nowhere by itself: each [`Post`] brings its own.
    PerRequest,
}

impl Auth {
    /// Can it be sent at all?
    pub(super) fn is_usable(&self) -> bool {
        self.header().is_some()
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        let (name, prefix, secret) = match self {
            Self::Bearer(secret) => (AUTHORIZATION, "Bearer ", secret),
            Self::ApiKey(secret) => (HeaderName::from_static("x-api-key"), "", secret),
            Self::Token(secret) => (HeaderName::from_static("x-auth-token"), "", secret),
            Self::PerRequest => return None,
        };
        // A key read from a file often ends with a line break.
        let secret = secret.expose_secret().trim();
        if secret.is_empty() {
            return None;
        }
        let mut value = HeaderValue::from_str(&format!("{prefix}{secret}")).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    }
}

/// What a client is made of.
#[derive(Debug)]
pub(super) struct HttpConfig {
    /// Every path is below it.
    pub(super) base_url: Url,
    /// The credential.
    pub(super) auth: Auth,
    /// The variable that holds the credential, for messages.
    pub(super) key_variable: String,
    /// What the upstream documents as its rate limit.
    pub(super) quota: Quota,
    /// Waits and sizes.
    pub(super) limits: Limits,
}

/// A request: reading, so that it may be sent again.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// What is asked for, in our words: it stands in errors.
    pub(super) what: String,
    /// The address, whole.
    pub(super) url: Url,
}

/// A question that is asked with a body, about nothing but reading as well: it may be asked again.
/// Not to be shown: a session is asked for with the key in the body.
#[derive(Clone)]
pub(super) struct Post {
    /// What is asked for, in our words: it stands in errors.
    pub(super) what: String,
    /// The address, whole.
    pub(super) url: Url,
    /// The body, JSON.
    pub(super) body: String,
    /// The credential of this request; none where it asks for one.
    pub(super) auth: Option<Auth>,
}

/// What came of a [`Post`]: upstreams that take questions by POST explain in the body what they refuse.
/// Not to be shown: it may hold a session's token.
#[derive(Clone)]
pub(super) struct Reply {
    /// The body.
    pub(super) body: String,
    /// When the upstream answered, by its own clock.
    pub(super) date: Option<Timestamp>,
    /// What the status alone comes to, where it is a refusal.
    pub(super) refusal: Option<Error>,
}

/// What a refusal means by its status and its body, where that is more than the status says.
pub(super) type Explain<'a> = &'a (dyn Fn(u16, &str) -> Option<Error> + Send + Sync);

/// One request of either kind.
#[derive(Clone, Copy)]
struct Call<'a> {
    what: &'a str,
    url: &'a Url,
    post: Option<&'a Post>,
    explain: Option<Explain<'a>>,
}

impl Call<'_> {
    /// Might what is said of it repeat a secret? A question without a credential asks for one, with the key in it.
    fn is_confidential(self) -> bool {
        self.post.is_some_and(|post| post.auth.is_none())
    }
}

/// An HTTP client with a credential.
#[derive(Debug)]
pub(super) struct Http {
    client: reqwest::Client,
    base_url: Url,
    key_variable: String,
    rate: RateLimit,
    limits: Limits,
}

impl Http {
    /// A client for one credential at one address.
    pub(super) fn new(config: HttpConfig) -> Result<Self, Error> {
        let HttpConfig { base_url, auth, key_variable, quota, limits } = config;
        let loopback = check_base_url(&base_url)?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if !matches!(auth, Auth::PerRequest) {
            let (name, value) = auth.header().ok_or_else(|| no_key(&key_variable))?;
            headers.insert(name, value);
        }

        // Fails when a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        #[expect(clippy::disallowed_methods, reason = "this is the one client")]
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(headers)
            .connect_timeout(limits.connect_timeout)
            .read_timeout(limits.read_timeout)
            .timeout(limits.total_timeout)
            // Default headers would follow a redirect to another host, and the key with them.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false);
        if loopback {
            builder = builder.no_proxy();
        }
        if base_url.scheme() == "http" {
            // No TLS, so a machine without root certificates will do.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| {
            tracing::debug!(error = %clean(&chain(&error)), "building the HTTP client failed");
            Error::Config {
                problem: "no HTTPS client can be set up on this machine".to_owned(),
                fix: "install the system's root certificates (the package `ca-certificates` on Linux)".to_owned(),
            }
        })?;
        Ok(Self { client, base_url, key_variable, rate: RateLimit::new(quota), limits })
    }

    /// The address of a path below the base URL; each segment is escaped.
    pub(super) fn url<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.base_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// The answer's body, as text.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; transient ones only after all tries.
    pub(super) async fn fetch(&self, request: &Request) -> Result<String, Error> {
        let call = Call { what: &request.what, url: &request.url, post: None, explain: None };
        Ok(self.persist(call, |_| Ok(())).await?.body)
    }

    /// As [`Http::fetch`], of an upstream whose statuses do not say what they mean: `explain` sees every refusal, with
    /// the beginning of its body, before anything is tried again.
    ///
    /// # Errors
    ///
    /// As [`Http::fetch`], and what `explain` makes of a refusal.
    pub(super) async fn fetch_explained(&self, request: &Request, explain: Explain<'_>) -> Result<String, Error> {
        let call = Call { what: &request.what, url: &request.url, post: None, explain: Some(explain) };
        Ok(self.persist(call, |_| Ok(())).await?.body)
    }

    /// The answer to a question, with what it says of a refusal that no retry mends. `judge` may find in the body of
    /// an answer what makes it worth another try.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; transient ones only after all tries. A refusal of the request itself (400, 401, 403, 413, 422)
    /// is a [`Reply`].
    pub(super) async fn post(
        &self,
        post: &Post,
        judge: impl Fn(&Reply) -> Result<(), Error> + Send + Sync,
    ) -> Result<Reply, Error> {
        self.persist(Call { what: &post.what, url: &post.url, post: Some(post), explain: None }, judge).await
    }

    async fn persist(
        &self,
        request: Call<'_>,
        judge: impl Fn(&Reply) -> Result<(), Error> + Send + Sync,
    ) -> Result<Reply, Error> {
        let judge = &judge;
        let started = Instant::now();
        let mut tries = 0;
        let backoff = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(self.limits.first_delay)
            .with_max_delay(self.limits.max_delay)
            .with_max_times(self.limits.tries.saturating_sub(1) as usize);
        let result = (|| {
            tries += 1;
            async move {
                let reply = self.try_once(request).await?;
                judge(&reply).map(|()| reply)
            }
        })
        .retry(backoff)
        .when(Error::is_transient)
        .adjust(|error, own| {
            let delay = own?.max(error.retry_after().unwrap_or_default());
            (delay <= self.limits.max_delay.max(own?) && started.elapsed() + delay <= self.limits.budget)
                .then_some(delay)
        })
        .notify(|error, delay| {
            tracing::debug!(class = error.class(), wait_ms = delay.as_millis(), "trying {} again", request.what);
        })
        .await;
        let spent = started.elapsed();
        match &result {
            Ok(reply) => {
                tracing::trace!(bytes = reply.body.len(), spent_ms = spent.as_millis(), "fetched {}", request.what);
            }
            Err(error) => {
                tracing::debug!(class = error.class(), tries, spent_ms = spent.as_millis(), "no {}", request.what);
            }
        }
        result.map_err(|error| error.after(tries, spent))
    }

    /// The answer's body; none where the upstream has no such thing (404).
    ///
    /// # Errors
    ///
    /// As [`Http::fetch`], but [`Error::NotFound`].
    pub(super) async fn fetch_optional(&self, request: &Request) -> Result<Option<String>, Error> {
        match self.fetch(request).await {
            Ok(body) => Ok(Some(body)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn try_once(&self, request: Call<'_>) -> Result<Reply, Error> {
        let sent_at = self.rate.acquire(self.limits.max_delay).await.map_err(|wait| Error::RateLimited {
            tries: 0,
            waited: Duration::ZERO,
            retry_after: Some(wait),
        })?;
        let asked = match request.post {
            None => self.client.get(request.url.clone()),
            Some(post) => {
                let mut asked = self.client.post(request.url.clone()).body(post.body.clone());
                asked = asked.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                match &post.auth {
                    None => asked,
                    Some(auth) => {
                        let (name, value) = auth.header().ok_or_else(|| no_key(&self.key_variable))?;
                        asked.header(name, value)
                    }
                }
            }
        };
        let response = asked.send().await.map_err(|error| broken(&error))?;
        let status = response.status();
        let date = headers::date(response.headers());
        let retry_after = headers::retry_after(response.headers());
        let Limits { first_delay, max_delay, .. } = self.limits;
        self.rate.observe(sent_at, headers::observed(status, response.headers(), first_delay, max_delay));
        if status.is_success() {
            return Ok(Reply { body: self.read(request, response).await?, date, refusal: None });
        }
        let refusal = self.refusal(request, status, retry_after);
        if request.post.is_some() && matches!(status.as_u16(), 400 | 401 | 403 | 413 | 422) {
            // What cannot be read explains nothing: the status has to do.
            let body = self.read(request, response).await.unwrap_or_default();
            if !request.is_confidential() {
                tracing::debug!(status = status.as_u16(), message = clean(&body), "refused: {}", request.what);
            }
            return Ok(Reply { body, date, refusal: Some(refusal) });
        }
        let body = self.log_refusal(request, response).await;
        Err(request.explain.and_then(|explain| explain(status.as_u16(), &body)).unwrap_or(refusal))
    }

    async fn read(&self, request: Call<'_>, mut response: reqwest::Response) -> Result<String, Error> {
        let limit = self.limits.max_bytes;
        let too_large = || Error::TooLarge { what: request.what.to_owned(), limit };
        let announced = response.content_length().unwrap_or(0);
        if announced > limit {
            return Err(too_large());
        }
        let html = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"text/html"));
        // What is announced is a stranger's word: a large claim gets its memory as it arrives.
        let mut body = Vec::with_capacity(usize::try_from(announced.min(1 << 20)).unwrap_or(0));
        while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
            if body.len() as u64 + chunk.len() as u64 > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let detail = if html || body.trim_ascii_start().starts_with(b"<") {
            "an HTML page instead of JSON"
        } else {
            match String::from_utf8(body) {
                Ok(body) => return Ok(body),
                Err(_) => "not UTF-8",
            }
        };
        Err(Error::Decode { what: request.what.to_owned(), detail: detail.to_owned() })
    }

    fn refusal(&self, request: Call<'_>, status: StatusCode, retry_after: Option<Duration>) -> Error {
        let what = request.what.to_owned();
        let (tries, waited, code) = (1, Duration::ZERO, status.as_u16());
        match code {
            401 => Error::Unauthorized { status: code, variable: self.key_variable.clone() },
            403 => Error::Forbidden { what },
            404 | 410 => Error::NotFound { what },
            429 => Error::RateLimited { tries, waited, retry_after },
            // Request timeout and too early: the server's trouble, for all their numbers.
            408 | 425 | 500.. => Error::Server { status: code, tries, waited, retry_after },
            300..=399 => Error::Decode {
                what,
                detail: format!("a redirect ({code}), which is not followed with a key in hand; check the base URL"),
            },
            _ => Error::Invalid { what, status: code },
        }
    }

    /// The beginning of what is said of a refusal, where somebody wants to know.
    async fn log_refusal(&self, request: Call<'_>, mut response: reqwest::Response) -> String {
        let status = response.status().as_u16();
        let is_logged = !request.is_confidential() && tracing::enabled!(tracing::Level::DEBUG);
        if !is_logged && request.explain.is_none() {
            return String::new();
        }
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ERROR_BODY {
                break;
            }
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        if is_logged {
            tracing::debug!(status, message = clean(&body), "refused: {}", request.what);
        }
        body
    }
}

/// Is it this machine?
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Is the address one that a key may be sent to? The answer is whether it is this machine.
fn check_base_url(url: &Url) -> Result<bool, Error> {
    let loopback = is_loopback(url);
    let problem = match url.scheme() {
        "https" | "http" if url.host().is_none() => "the base URL has no host",
        "https" | "http" if !url.username().is_empty() || url.password().is_some() => {
            "the base URL holds a user name or password"
        }
        "https" => return Ok(loopback),
        "http" if loopback => return Ok(true),
        "http" => "the base URL is plain http, so the key would travel in the clear",
        _ => "the base URL is neither https nor http",
    };
    Err(Error::Config {
        problem: problem.to_owned(),
        fix: "use an https address, or http on this machine only (localhost, 127.0.0.1)".to_owned(),
    })
}

fn no_key(variable: &str) -> Error {
    Error::Config {
        problem: format!("`{variable}` is empty or holds characters that no key has"),
        fix: format!("set `{variable}` to the key as the tracker shows it"),
    }
}

/// A stranger's text for the log: one line, bounded, nothing that moves a terminal's cursor.
fn clean(text: &str) -> String {
    super::fields::clean(text, 300)
}

#[cfg(test)]
pub(super) mod tests;
