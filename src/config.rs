//! Configuration: flags over environment over one TOML file. Every variable is named here, and read here alone.

mod brands;
mod file;

use crate::model::{Brand, SourceName, UpstreamKind};
use directories::ProjectDirs;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf, time::Duration};
use url::Url;

/// The configuration file.
pub const CONFIG_FILE: &str = "VISIBILITY_MCP_CONFIG";
/// The cache file.
pub const CACHE_FILE: &str = "VISIBILITY_MCP_CACHE";
/// A Verseodin key; alone, it is a whole configuration.
pub const VERSEODIN_API_KEY: &str = "VERSEODIN_API_KEY";
/// The address of the Verseodin API, up to and with `/api/v1`.
pub const VERSEODIN_BASE_URL: &str = "VERSEODIN_BASE_URL";
/// The id of a Lumar user key; with its secret, a whole configuration.
pub const LUMAR_USER_KEY_ID: &str = "LUMAR_USER_KEY_ID";
/// The secret of a Lumar user key.
pub const LUMAR_USER_KEY_SECRET: &str = "LUMAR_USER_KEY_SECRET";
/// The key of a Lumar service account, in place of a user key.
pub const LUMAR_SERVICE_KEY: &str = "LUMAR_SERVICE_KEY";
/// The Lumar account, or several with commas between; a user key finds its accounts by itself.
pub const LUMAR_ACCOUNT_ID: &str = "LUMAR_ACCOUNT_ID";
/// The address of Lumar's GraphQL endpoint.
pub const LUMAR_BASE_URL: &str = "LUMAR_BASE_URL";
/// The private key of a Lunary project; alone, it is a whole configuration.
pub const LUNARY_API_KEY: &str = "LUNARY_API_KEY";
/// The address of the Lunary API, up to and with `/v1`.
pub const LUNARY_BASE_URL: &str = "LUNARY_BASE_URL";

const VERSEODIN_URL: &str = "https://verseodin.com/api/v1";
const LUMAR_URL: &str = "https://api.lumar.io/graphql";
const LUNARY_URL: &str = "https://api.lunary.ai/v1";

/// How many days back a first sync reaches.
pub const HISTORY_DAYS: i32 = 90;

/// The configuration cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file that was named, or the usual one, can't be read.
    #[error("cannot read the configuration file `{}`: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("the configuration file `{}` is not valid: {cause}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Why, with the line.
        cause: String,
    },
    /// There is no home directory to put the cache in.
    #[error("no place for the cache is known, since this user has no home directory")]
    NoHome,
}

impl Error {
    /// The step that mends it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { .. } => format!("check the path in `--config` or `{CONFIG_FILE}`"),
            Self::Invalid { .. } => "correct that line; the README lists every setting".to_owned(),
            Self::NoHome => format!("name a file with `--cache` or `{CACHE_FILE}`"),
        }
    }
}

/// One source as configured: what it takes to make its client.
#[derive(Clone, Debug)]
pub struct SourceConfig {
    /// Its name.
    pub name: SourceName,
    /// Its kind.
    pub upstream: UpstreamKind,
    /// What opens it.
    pub access: Access,
    /// The address of the API.
    pub base_url: Url,
    /// The accounts to read; empty means all that the key opens.
    pub accounts: Vec<String>,
    /// Brands to track beside those that the upstream tracks as own and competitors.
    pub brands: Vec<String>,
    /// Brands that are described here, for upstreams that know none and beside those that others know.
    pub extra_brands: Vec<Brand>,
    /// What to call the project, where the upstream does not say.
    pub project_name: Option<String>,
    /// Which runs count.
    pub runs: RunsConfig,
    /// Ask for each run by its id as well: a request per run.
    pub run_details: bool,
    /// Which engines models belong to, before the table that is built in.
    pub models: Vec<ModelRule>,
}

/// Which runs of a source count: those that every list with something in it agrees to.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunsConfig {
    /// Their types; none means `llm`.
    pub types: Vec<String>,
    /// Tags, of which a run has at least one.
    pub tags: Vec<String>,
    /// External ids of people.
    pub users: Vec<String>,
    /// Slugs of templates.
    pub templates: Vec<String>,
    /// Models; `*` stands for any text.
    pub models: Vec<String>,
    /// Names; `*` stands for any text.
    pub names: Vec<String>,
}

/// Models of these names belong to this engine.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRule {
    /// The model's name; `*` stands for any text.
    #[serde(rename = "match")]
    pub pattern: String,
    /// The engine, such as `chatgpt`.
    pub engine: String,
}

/// What opens an upstream.
#[derive(Clone, Debug)]
pub enum Access {
    /// One key.
    Key(Secret),
    /// A user key: an id and a secret, for which a session is given.
    UserKey {
        /// Its id.
        id: Secret,
        /// Its secret.
        secret: Secret,
    },
}

/// A secret, and the variable or setting that holds it, for messages.
#[derive(Clone, Debug)]
pub struct Secret {
    /// The secret itself.
    pub value: SecretString,
    /// What holds it.
    pub name: String,
}

/// Everything that is configured.
#[derive(Clone, Debug)]
pub struct Config {
    /// The cache file.
    pub cache: PathBuf,
    /// How many days back a first sync reaches.
    pub history_days: i32,
    /// How often the server syncs by itself.
    pub sync_interval: Duration,
    /// The sources that can be used.
    pub sources: Vec<SourceConfig>,
    /// What is wrong with the others, one line each.
    pub problems: Vec<String>,
}

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--cache`.
    pub cache: Option<PathBuf>,
    /// `--history-days`.
    pub history_days: Option<i32>,
}

/// Where variables come from: the process, or a test.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The environment of this process.
#[must_use]
pub fn process_environment(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    std::env::var(name).ok()
}

/// Reads flags, environment and file.
///
/// A source that can't be used is a problem, not an error: the others work, and a server starts all the same.
///
/// # Errors
/// Where the file can't be read or understood, or there is no place for the cache.
pub fn load(overrides: &Overrides, environment: Environment<'_>) -> Result<Config, Error> {
    let set = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
    let named = overrides.config.clone().or_else(|| set(CONFIG_FILE).map(PathBuf::from));
    let home = ProjectDirs::from("", "", "visibility-mcp");
    let usual = home.as_ref().map(|home| home.config_dir().join("config.toml"));
    let file = match (&named, &usual) {
        (Some(path), _) => file::read(path)?,
        (None, Some(path)) if path.exists() => file::read(path)?,
        _ => file::File::default(),
    };
    let cache = overrides.cache.clone().or_else(|| set(CACHE_FILE).map(PathBuf::from)).or(file.cache);
    let cache = match cache {
        Some(path) => path,
        None => home.ok_or(Error::NoHome)?.data_dir().join("cache.sqlite"),
    };
    let mut config = Config {
        cache,
        history_days: overrides.history_days.or(file.history_days).unwrap_or(HISTORY_DAYS),
        sync_interval: Duration::from_secs(60 * file.sync_interval_minutes.unwrap_or(15).max(1)),
        sources: Vec::new(),
        problems: Vec::new(),
    };
    let mut sources: BTreeMap<String, file::Source> = file.sources;
    if let Some(key) = set(VERSEODIN_API_KEY) {
        let source = sources.entry("verseodin".to_owned()).or_insert_with(|| file::Source::of(UpstreamKind::Verseodin));
        source.api_key = Some(key.into());
        source.api_key_env = Some(VERSEODIN_API_KEY.to_owned());
        source.base_url = set(VERSEODIN_BASE_URL).or(source.base_url.take());
    }
    if [LUMAR_SERVICE_KEY, LUMAR_USER_KEY_ID, LUMAR_USER_KEY_SECRET].iter().any(|name| set(name).is_some()) {
        let source = sources.entry("lumar".to_owned()).or_insert_with(|| file::Source::of(UpstreamKind::Lumar));
        if set(LUMAR_SERVICE_KEY).is_some() {
            source.api_key_env = Some(LUMAR_SERVICE_KEY.to_owned());
        } else {
            source.user_key_id_env = Some(LUMAR_USER_KEY_ID.to_owned());
            source.user_key_secret_env = Some(LUMAR_USER_KEY_SECRET.to_owned());
        }
        source.base_url = set(LUMAR_BASE_URL).or(source.base_url.take());
        if let Some(accounts) = set(LUMAR_ACCOUNT_ID) {
            source.accounts = accounts.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect();
        }
    }
    if let Some(key) = set(LUNARY_API_KEY) {
        let source = sources.entry("lunary".to_owned()).or_insert_with(|| file::Source::of(UpstreamKind::Lunary));
        source.api_key = Some(key.into());
        source.api_key_env = Some(LUNARY_API_KEY.to_owned());
        source.base_url = set(LUNARY_BASE_URL).or(source.base_url.take());
    }
    let is_empty = |rule: &ModelRule| rule.pattern.trim().is_empty() || rule.engine.trim().is_empty();
    let (empty, models): (Vec<ModelRule>, Vec<ModelRule>) = file.models.into_iter().partition(is_empty);
    if !empty.is_empty() {
        config.problems.push("a table of `[[models]]` has an empty `match` or `engine`; set both".to_owned());
    }
    for (name, source) in sources {
        match resolve(&name, &source, environment) {
            Ok(source) => config.sources.push(SourceConfig { models: models.clone(), ..source }),
            Err(problem) => config.problems.push(problem),
        }
    }
    Ok(config)
}

/// The demo's cache, beside the other one unless a file is named.
///
/// # Errors
/// Where there is no place for it.
pub fn demo_cache(overrides: &Overrides) -> Result<PathBuf, Error> {
    match &overrides.cache {
        Some(path) => Ok(path.clone()),
        None => Ok(ProjectDirs::from("", "", "visibility-mcp").ok_or(Error::NoHome)?.data_dir().join("demo.sqlite")),
    }
}

fn resolve(name: &str, source: &file::Source, environment: Environment<'_>) -> Result<SourceConfig, String> {
    let usual = match source.upstream {
        UpstreamKind::Verseodin => VERSEODIN_URL,
        UpstreamKind::Lumar => LUMAR_URL,
        UpstreamKind::Lunary => LUNARY_URL,
    };
    let access = match source.user_key() {
        Some((id, secret)) if source.upstream == UpstreamKind::Lumar => Access::UserKey {
            id: secret_of(name, "user_key_id", id, environment)?,
            secret: secret_of(name, "user_key_secret", secret, environment)?,
        },
        Some(_) => return Err(format!("source `{name}`: a user key is Lumar's; set `sources.{name}.api_key`")),
        None => Access::Key(secret_of(name, "api_key", source.key(), environment)?),
    };
    if source.upstream == UpstreamKind::Lumar && matches!(access, Access::Key(_)) && source.accounts.is_empty() {
        return Err(format!(
            "source `{name}`: a service account's key does not say which account it is for; set `{LUMAR_ACCOUNT_ID}`, or \
             `sources.{name}.accounts`"
        ));
    }
    let lunarys = [
        ("project_name", source.project_name.is_some()),
        ("runs", source.runs.is_some()),
        ("run_details", source.run_details.is_some()),
    ];
    if let (true, Some((setting, _))) = (source.upstream != UpstreamKind::Lunary, lunarys.iter().find(|(_, set)| *set))
    {
        return Err(format!("source `{name}`: `{setting}` is Lunary's; remove `sources.{name}.{setting}`"));
    }
    let extra_brands =
        brands::described(&source.brands, source.upstream).map_err(|problem| format!("source `{name}`: {problem}"))?;
    let address = source.base_url.as_deref().unwrap_or(usual);
    let base_url =
        Url::parse(address).map_err(|_| format!("source `{name}`: its base URL is not an address such as {usual}"))?;
    Ok(SourceConfig {
        name: SourceName::from(name),
        upstream: source.upstream,
        access,
        base_url,
        accounts: source.accounts.clone(),
        brands: brands::names(&source.brands),
        extra_brands,
        project_name: source.project_name.as_deref().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned),
        runs: source.runs.clone().unwrap_or_default(),
        run_details: source.run_details.unwrap_or_default(),
        models: Vec::new(),
    })
}

/// A secret and what holds it: the environment, then a file of its own, then the configuration.
fn secret_of(
    source: &str,
    setting: &str,
    place: file::Place<'_>,
    environment: Environment<'_>,
) -> Result<Secret, String> {
    let (value, name) = if let Some(variable) = place.variable {
        match environment(variable).filter(|value| !value.trim().is_empty()) {
            Some(value) => (SecretString::from(value), variable.to_owned()),
            None => return Err(format!("source `{source}`: `{variable}` is not set; set it to your key")),
        }
    } else if let Some(path) = place.file {
        let name = format!("sources.{source}.{setting}_file");
        match std::fs::read_to_string(path) {
            Ok(value) => (value.into(), name),
            Err(_) => return Err(format!("source `{source}`: the file in `{name}` can't be read")),
        }
    } else if let Some(value) = place.value {
        (value.clone(), format!("sources.{source}.{setting}"))
    } else {
        // Sources of these names take the usual variable, also when a file describes them.
        let variable = match (source, setting) {
            ("lumar", "api_key") => format!("`{LUMAR_SERVICE_KEY}`, "),
            ("lunary", "api_key") => format!("`{LUNARY_API_KEY}`, "),
            ("verseodin", "api_key") => format!("`{VERSEODIN_API_KEY}`, "),
            _ => String::new(),
        };
        return Err(format!(
            "source `{source}`: no key; set {variable}`sources.{source}.{setting}`, `{setting}_file` or `{setting}_env`"
        ));
    };
    let value = value.expose_secret().trim();
    if is_placeholder(value) {
        return Err(format!("source `{source}`: `{name}` still holds a placeholder; set it to your key"));
    }
    Ok(Secret { value: SecretString::from(value.to_owned()), name })
}

/// Text that somebody was meant to replace.
fn is_placeholder(key: &str) -> bool {
    let lower = key.to_lowercase();
    key.is_empty()
        || key.starts_with("${")
        || key.starts_with('<')
        || key.starts_with('{')
        || ["your", "xxx", "changeme", "change-me", "placeholder", "replace", "todo", "..."]
            .iter()
            .any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests;
