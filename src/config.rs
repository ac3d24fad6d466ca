//! Configuration: flags over environment over one TOML file. Every variable is named here, and read here alone.

mod file;

use crate::model::{SourceName, UpstreamKind};
use directories::ProjectDirs;
use secrecy::{ExposeSecret as _, SecretString};
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

const VERSEODIN_URL: &str = "https://verseodin.com/api/v1";

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
    /// Its key.
    pub api_key: SecretString,
    /// The variable or setting that holds the key, for messages.
    pub key_name: String,
    /// The address of the API.
    pub base_url: Url,
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
    for (name, source) in sources {
        match resolve(&name, &source, environment) {
            Ok(source) => config.sources.push(source),
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
    if source.upstream != UpstreamKind::Verseodin {
        return Err(format!("source `{name}`: {} is not supported by this version yet", source.upstream.as_str()));
    }
    let (api_key, key_name) = key(name, source, environment)?;
    let key = api_key.expose_secret().trim();
    if is_placeholder(key) {
        return Err(format!("source `{name}`: `{key_name}` still holds a placeholder; set it to your key"));
    }
    let address = source.base_url.as_deref().unwrap_or(VERSEODIN_URL);
    let base_url = Url::parse(address)
        .map_err(|_| format!("source `{name}`: its base URL is not an address such as {VERSEODIN_URL}"))?;
    Ok(SourceConfig {
        name: SourceName::from(name),
        upstream: source.upstream,
        api_key: SecretString::from(key.to_owned()),
        key_name,
        base_url,
    })
}

/// The key and what holds it: the environment, then a file of its own, then the configuration.
fn key(name: &str, source: &file::Source, environment: Environment<'_>) -> Result<(SecretString, String), String> {
    if let Some(variable) = &source.api_key_env {
        return match environment(variable).filter(|value| !value.trim().is_empty()) {
            Some(key) => Ok((key.into(), variable.clone())),
            None => Err(format!("source `{name}`: `{variable}` is not set; set it to your key")),
        };
    }
    if let Some(path) = &source.api_key_file {
        let setting = format!("sources.{name}.api_key_file");
        return match std::fs::read_to_string(path) {
            Ok(key) => Ok((key.into(), setting)),
            Err(_) => Err(format!("source `{name}`: the file in `{setting}` can't be read")),
        };
    }
    let setting = format!("sources.{name}.api_key");
    match &source.api_key {
        Some(key) => Ok((key.clone(), setting)),
        None => Err(format!("source `{name}`: no key; set `{setting}`, `api_key_file` or `api_key_env`")),
    }
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
