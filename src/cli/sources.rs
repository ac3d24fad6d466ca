//! Where the runs come from: the configured trackers, or the embedded one of the demo.

use super::{Context, Failure};
use crate::{
    demo::{DemoServer, DEMO_KEY_NAME},
    model::SourceName,
    upstream::{
        Limits, Upstream,
        verseodin::{Verseodin, VerseodinConfig},
    },
};
use std::sync::Arc;

/// The demo's source.
pub(super) const DEMO: &str = "demo-verseodin";

/// Clients of every source, and the embedded server behind the demo's, which ends with this.
pub(super) struct Sources {
    pub(super) upstreams: Vec<Arc<dyn Upstream>>,
    _demo: Option<DemoServer>,
}

/// Connects to every source that can be used.
pub(super) fn connect(context: &Context) -> Result<Sources, Failure> {
    if !context.demo {
        let upstreams = context.config.sources.iter().map(|source| source.connect(Limits::default()));
        return Ok(Sources { upstreams: upstreams.collect::<Result<_, _>>()?, _demo: None });
    }
    let server = DemoServer::start(crate::model::Day::of(context.clock.now()))?;
    let demo = Verseodin::new(VerseodinConfig {
        source: SourceName::from(DEMO),
        api_key: server.key(),
        base_url: server.base_url(),
        key_variable: DEMO_KEY_NAME.to_owned(),
        limits: Limits::default(),
    })?;
    Ok(Sources { upstreams: vec![Arc::new(demo)], _demo: Some(server) })
}
