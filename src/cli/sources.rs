//! Where the runs come from: the configured trackers, or the embedded one of the demo.

use super::{Context, Failure};
use crate::{
    config::{self, Access, RunsConfig, SourceConfig},
    demo::{
        lumar::{self as demo_lumar, LumarOptions, LumarServer},
        lunary::{self as demo_lunary, LunaryOptions, LunaryServer},
        verseodin::{self as demo_verseodin, ServerOptions, VerseodinServer},
        world::{World, WorldBrand, WorldSize},
    },
    model::{Brand, BrandKey, BrandKind, Day, SourceName, UpstreamKind},
    sync::AddedBrands,
    upstream::{
        Limits, Upstream,
        lumar::{Credential, Lumar, LumarConfig},
        lunary::{Lunary, LunaryConfig, ModelRule, RunFilter},
        verseodin::{Verseodin, VerseodinConfig},
    },
};
use secrecy::SecretString;
use std::sync::Arc;
use url::Url;

/// The demo's sources: two trackers that follow the same brands in the same world, and a log of model calls that knows
/// of no brands.
pub(super) const DEMO: [&str; 3] = ["demo-lumar", "demo-lunary", "demo-verseodin"];
/// Any number will do, as long as it stays: the same seed is the same world.
const SEED: u64 = 7;

/// Clients of every source, and the embedded servers behind the demo's, which end with this.
pub(super) struct Sources {
    pub(super) upstreams: Vec<Arc<dyn Upstream>>,
    _demo: Option<(LumarServer, LunaryServer, VerseodinServer)>,
}

/// Connects to every source that can be used.
pub(super) fn connect(context: &Context) -> Result<Sources, Failure> {
    if context.demo {
        return demo(Day::of(context.clock.now()));
    }
    let upstreams = context.config.sources.iter().map(client);
    Ok(Sources { upstreams: upstreams.collect::<Result<_, _>>()?, _demo: None })
}

/// The brands that the configuration adds to those of the sources.
pub(super) fn added_brands(context: &Context) -> AddedBrands {
    if context.demo {
        let world = demo_world(Day::of(context.clock.now()));
        let [_, lunary, _] = DEMO;
        return AddedBrands::from([(lunary.into(), configured(world.brands(0)))]);
    }
    context.config.sources.iter().map(|source| (source.name.clone(), source.extra_brands.clone())).collect()
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
        (UpstreamKind::Lunary, Access::Key(key)) => {
            let RunsConfig { types, tags, users, templates, models, names } = source.runs.clone();
            let rule =
                |rule: &config::ModelRule| ModelRule { pattern: rule.pattern.clone(), engine: rule.engine.clone() };
            Arc::new(Lunary::new(LunaryConfig {
                source: name,
                api_key: key.value.clone(),
                base_url,
                key_variable: key.name.clone(),
                project_name: source.project_name.clone(),
                runs: RunFilter { types, tags, users, templates, models, names },
                run_details: source.run_details,
                models: source.models.iter().map(rule).collect(),
                limits,
            })?)
        }
        (kind, _) => return Err(Failure::new(format!("source `{name}`: {} can't be read yet", kind.as_str()), "")),
    })
}

/// A world that ends today, behind trackers of our own on loopback.
fn demo(today: Day) -> Result<Sources, Failure> {
    let address = |url: String| Url::parse(&url).map_err(|error| Failure::new(error.to_string(), ""));
    let [lumar_name, lunary_name, verseodin_name] = DEMO;
    let world = Arc::new(demo_world(today));

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

    let tracker = demo_lunary::WorldTracker::new(Arc::clone(&world));
    let lunary = LunaryServer::spawn_on_thread(Arc::new(tracker), LunaryOptions::unhurried())?;
    let lunary_client = Lunary::new(LunaryConfig {
        source: SourceName::from(lunary_name),
        api_key: SecretString::from(lunary.private_key(0)),
        base_url: address(lunary.base_url())?,
        key_variable: "the demo's private key".to_owned(),
        project_name: Some(world.project_name(0).to_owned()),
        runs: RunFilter::default(),
        run_details: false,
        models: Vec::new(),
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
    Ok(Sources {
        upstreams: vec![Arc::new(lumar_client), Arc::new(lunary_client), Arc::new(verseodin_client)],
        _demo: Some((lumar, lunary, verseodin)),
    })
}

fn demo_world(today: Day) -> World {
    World::new(WorldSize::demo(), SEED, today)
}

/// The world's brands, as somebody would write them into the configuration.
fn configured(brands: &[WorldBrand]) -> Vec<Brand> {
    let brand = |brand: &WorldBrand| Brand {
        key: BrandKey::configured(&brand.name),
        name: brand.name.clone(),
        kind: if brand.own { BrandKind::Own } else { BrandKind::Competitor },
        domains: vec![brand.domain.clone()],
        aliases: brand.aliases.clone(),
        exact: Vec::new(),
        excluded: Vec::new(),
    };
    brands.iter().map(brand).collect()
}
