//! `serve --http`: what it takes to open a server to others, and the refusal where that would open it to everybody.

use super::super::{Context, Failure, output};
use crate::{
    access::{Both, OAuth, OAuthError, TokenFile},
    mcp::{
        Registry,
        http::{self, Authenticate, HttpLimits, HttpOptions, HttpServer, Open},
        transport,
    },
};
use clap::{Args, ValueEnum};
use std::{net::SocketAddr, path::PathBuf, sync::Arc};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub(in crate::cli) enum LogFormat {
    #[default]
    Text,
    Json,
}

#[derive(Debug, Args)]
pub(super) struct Http {
    /// Serve over HTTP at this address in place of stdio, such as 127.0.0.1:8080
    #[arg(long = "http", value_name = "ADDR")]
    address: Option<SocketAddr>,
    /// Who may ask: a file of tokens, see `visibility-mcp token`; this or an issuer is needed off loopback
    #[arg(long, value_name = "FILE", requires = "address")]
    token_file: Option<PathBuf>,
    /// Who may ask: holders of tokens that this OAuth issuer gave them for this server
    #[arg(long, value_name = "URL", requires_all = ["address", "oauth_resource"])]
    oauth_issuer: Option<String>,
    /// This server as its clients know it, such as `https://mcp.example.com/mcp`: what tokens must be for
    #[arg(long, value_name = "URL", requires_all = ["address", "oauth_issuer"])]
    oauth_resource: Option<String>,
    /// The claim of the issuer's tokens that lists their projects; without it they open all
    #[arg(long, value_name = "CLAIM", requires = "oauth_issuer")]
    oauth_projects_claim: Option<String>,
    /// A name that clients may call the server by, beside localhost; may be given again
    #[arg(long, value_name = "HOST", requires = "address")]
    allow_host: Vec<String>,
    /// An origin whose web pages may call, such as `https://app.example.com`; may be given again
    #[arg(long, value_name = "ORIGIN", requires = "address")]
    allow_origin: Vec<String>,
    /// Requests a second for each client
    #[arg(long, value_name = "N", default_value_t = 20, requires = "address", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// Open sessions of clients of the older protocol
    #[arg(long, value_name = "N", default_value_t = 512, requires = "address")]
    max_sessions: usize,
    /// Show figures for Prometheus at /metrics
    #[arg(long, requires = "address")]
    metrics: bool,
    /// How lines of the log are written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) log_format: LogFormat,
}

/// A server that can be opened: its address is taken, and who may ask is known.
pub(super) struct Opened {
    listener: std::net::TcpListener,
    options: HttpOptions,
    oauth: Option<Arc<OAuth>>,
}

impl Http {
    /// Takes the address, where one is given.
    pub(super) fn open(&self) -> Result<Option<Opened>, Failure> {
        let Some(address) = self.address else { return Ok(None) };
        let oauth = self.oauth()?;
        let access: Arc<dyn Authenticate> = match (self.tokens()?, &oauth) {
            (Some(file), Some(oauth)) => Arc::new(Both { file, oauth: Arc::clone(oauth) }),
            (Some(file), None) => Arc::new(file),
            (None, Some(oauth)) => Arc::clone(oauth) as _,
            (None, None) if address.ip().is_loopback() => Arc::new(Open),
            (None, None) => {
                return Err(Failure::new(
                    format!("{address} can be reached by others, and nothing says who may ask"),
                    "add `--token-file FILE`, or `--oauth-issuer URL` with `--oauth-resource URL`, or serve on loopback \
                     with `--http 127.0.0.1:PORT`",
                ));
            }
        };
        let resource = oauth.as_ref().map(|oauth| oauth.resource());
        // A name that clients are told is one that they may use.
        let named = resource.as_ref().map(|resource| resource.host().to_owned());
        let listener = std::net::TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(listener)
        });
        let listener = listener.map_err(|error| {
            Failure::new(format!("cannot listen at {address}: {error}"), "choose another port with `--http`")
        })?;
        let at = listener.local_addr()?;
        output::note(&format!("MCP at http://{at}/mcp; for older clients http://{at}/sse"));
        Ok(Some(Opened {
            listener,
            options: HttpOptions {
                hosts: self.allow_host.iter().cloned().chain(named).collect(),
                origins: self.allow_origin.clone(),
                access,
                resource,
                metrics: self.metrics,
                limits: HttpLimits { rate: self.rate, sessions: self.max_sessions, ..HttpLimits::default() },
            },
            oauth,
        }))
    }

    fn tokens(&self) -> Result<Option<TokenFile>, Failure> {
        let read = self.token_file.as_deref().map(TokenFile::read).transpose();
        read.map_err(|error| {
            Failure::new(error.to_string(), "`visibility-mcp token NAME --project PROJECT` prints lines for it")
        })
    }

    fn oauth(&self) -> Result<Option<Arc<OAuth>>, Failure> {
        let (Some(issuer), Some(resource)) = (&self.oauth_issuer, &self.oauth_resource) else { return Ok(None) };
        match OAuth::new(issuer, resource, self.oauth_projects_claim.clone()) {
            Ok(oauth) => Ok(Some(Arc::new(oauth))),
            Err(error) => {
                let hint = match error {
                    OAuthError::Issuer { .. } => "give `--oauth-issuer` as the `issuer` of its own metadata",
                    OAuthError::Resource { .. } => {
                        "give `--oauth-resource` as clients know this server, such as `https://mcp.example.com/mcp`"
                    }
                };
                Err(Failure::new(error.to_string(), hint))
            }
        }
    }
}

impl Opened {
    /// Serves until SIGTERM or SIGINT.
    pub(super) fn serve(self, registry: Registry, context: &Context) -> Result<(), Failure> {
        let server = HttpServer::new(registry, context.backend(), Context::limits(), self.options);
        let runtime = http::runtime()?;
        runtime.block_on(async {
            let listener = TcpListener::from_std(self.listener)?;
            if let Some(oauth) = self.oauth {
                tokio::spawn(async move { oauth.prepare().await });
            }
            let shutdown = CancellationToken::new();
            let stop = shutdown.clone();
            let signals = tokio::spawn(async move {
                transport::signalled().await;
                stop.cancel();
            });
            server.serve(listener, shutdown).await;
            signals.abort();
            Ok::<_, Failure>(())
        })?;
        runtime.shutdown_background();
        Ok(())
    }
}
