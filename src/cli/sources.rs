//! Where the runs come from: the configured trackers, or the embedded one of the demo.

use super::{Context, Failure};
use crate::{
    config::{Access, SourceConfig},
    demo::{
        verseodin::{ServerOptions, VerseodinServer, WorldTracker},
        world::{World, WorldSize},
    },
    model::{Day, SourceName, UpstreamKind},
    upstream::{
        Limits, Upstream,
        verseodin::{Verseodin, VerseodinConfig},
    },
};
use secrecy::SecretString;
use std::sync::Arc;
use url::Url;

/// The demo's source.
pub(super) const DEMO: &str = "demo-verseodin";
/// Any number will do, as long as it stays: the same seed is the same world.
const SEED: u64 = 7;

/// Clients of every source, and the embedded server behind the demo's, which ends with this.
pub(super) struct Sources {
    pub(super) upstreams: Vec<Arc<dyn Upstream>>,
    _demo: Option<VerseodinServer>,
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
        (kind, _) => return Err(Failure::new(format!("source `{name}`: {} can't be read yet", kind.as_str()), "")),
    })
}

/// A world that ends today, behind a tracker of our own on loopback.
fn demo(today: Day) -> Result<Sources, Failure> {
    let world = Arc::new(World::new(WorldSize::demo(), SEED, today));
    let server = VerseodinServer::spawn_on_thread(Arc::new(WorldTracker::new(world)), ServerOptions::unhurried())?;
    let base_url = Url::parse(&server.base_url()).map_err(|error| Failure::new(error.to_string(), ""))?;
    let client = Verseodin::new(VerseodinConfig {
        source: SourceName::from(DEMO),
        api_key: SecretString::from(server.key().to_owned()),
        base_url,
        key_variable: "the demo's key".to_owned(),
        limits: Limits::default(),
    })?;
    Ok(Sources { upstreams: vec![Arc::new(client)], _demo: Some(server) })
}
