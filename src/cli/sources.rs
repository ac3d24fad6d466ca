//! Where the runs come from: the configured trackers, or the embedded one of the demo.

use super::{Context, Failure};
use crate::{
    config::{Access, SourceConfig},
    demo::{
        lumar::{self as demo_lumar, LumarOptions, LumarServer},
        verseodin::{self as demo_verseodin, ServerOptions, VerseodinServer},
        world::{World, WorldSize},
    },
    model::{Day, SourceName, UpstreamKind},
    upstream::{
        Limits, Upstream,
        lumar::{Credential, Lumar, LumarConfig},
        verseodin::{Verseodin, VerseodinConfig},
    },
};
use secrecy::SecretString;
use std::sync::Arc;
use url::Url;

/// The demo's sources: two trackers that follow the same brands in the same world.
pub(super) const DEMO: [&str; 2] = ["demo-lumar", "demo-verseodin"];
/// Any number will do, as long as it stays: the same seed is the same world.
const SEED: u64 = 7;

/// Clients of every source, and the embedded servers behind the demo's, which end with this.
pub(super) struct Sources {
    pub(super) upstreams: Vec<Arc<dyn Upstream>>,
    _demo: Option<(LumarServer, VerseodinServer)>,
}

/// Connects to every source that can be used.
pub(super) fn connect(context: &Context) -> Result<Sources, Failure> {
    if context.demo {
        return demo(Day::of(context.clock.now()));
    }
    let upstreams = context.config.sources.iter().map(client);
    Ok(Sources { upstreams: upstreams.collect::<Result<_, _>>()?, _demo: None })
}

/// A client of a configured source.
fn client(source: &SourceConfig) -> Result<Arc<dyn Upstream>, Failure> {
    let (name, base_url, limits) = (source.name.clone(), source.base_url.clone(), Limits::default());
    Ok(match (source.upstream, &source.access) {
        (UpstreamKind::Verseodin, Access::Key(key)) => Arc::new(Verseodin::new(VerseodinConfig {
            source: name,
            api_key: key.value.clone(),
            base_url,
            key_variable: key.name.clone(),
            limits,
        })?),
        (UpstreamKind::Lumar, access) => {
            let (credential, key_variables) = match access {
                Access::Key(key) => (Credential::ServiceKey(key.value.clone()), vec![key.name.clone()]),
                Access::UserKey { id, secret } => (
                    Credential::UserKey { id: id.value.clone(), secret: secret.value.clone() },
                    vec![id.name.clone(), secret.name.clone()],
                ),
            };
            let (accounts, brands) = (source.accounts.clone(), source.brands.clone());
            let config = LumarConfig { source: name, credential, key_variables, base_url, accounts, brands, limits };
            Arc::new(Lumar::new(config)?)
        }
        (kind, _) => return Err(Failure::new(format!("source `{name}`: {} can't be read yet", kind.as_str()), "")),
    })
}

/// A world that ends today, behind trackers of our own on loopback.
fn demo(today: Day) -> Result<Sources, Failure> {
    let address = |url: String| Url::parse(&url).map_err(|error| Failure::new(error.to_string(), ""));
    let [lumar_name, verseodin_name] = DEMO;
    let world = Arc::new(World::new(WorldSize::demo(), SEED, today));

    let tracker = demo_lumar::WorldTracker::new(Arc::clone(&world));
    let lumar = LumarServer::spawn_on_thread(Arc::new(tracker), LumarOptions::unhurried())?;
    let (id, secret) = lumar.user_key();
    let lumar_client = Lumar::new(LumarConfig {
        source: SourceName::from(lumar_name),
        credential: Credential::UserKey { id: id.into(), secret: secret.into() },
        key_variables: vec!["the demo's user key".to_owned()],
        base_url: address(lumar.base_url())?,
        accounts: Vec::new(),
        brands: Vec::new(),
        limits: Limits::default(),
    })?;

    let tracker = demo_verseodin::WorldTracker::new(world);
    let verseodin = VerseodinServer::spawn_on_thread(Arc::new(tracker), ServerOptions::unhurried())?;
    let verseodin_client = Verseodin::new(VerseodinConfig {
        source: SourceName::from(verseodin_name),
        api_key: SecretString::from(verseodin.key().to_owned()),
        base_url: address(verseodin.base_url())?,
        key_variable: "the demo's key".to_owned(),
        limits: Limits::default(),
    })?;
    Ok(Sources { upstreams: vec![Arc::new(lumar_client), Arc::new(verseodin_client)], _demo: Some((lumar, verseodin)) })
}
