//! The TOML file as it is written.

use super::{Error, ModelRule, RunsConfig, brands::Entry};
use crate::model::UpstreamKind;
use secrecy::SecretString;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The whole file; everything in it is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// The cache file.
    pub(super) cache: Option<PathBuf>,
    /// How many days back a first sync reaches.
    pub(super) history_days: Option<i32>,
    /// How often the server syncs by itself.
    pub(super) sync_interval_minutes: Option<u64>,
    /// Sources by name.
    #[serde(default)]
    pub(super) sources: BTreeMap<String, Source>,
    /// Which engines models belong to.
    #[serde(default)]
    pub(super) models: Vec<ModelRule>,
}

/// One source; each of its secrets stands in one of three places.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    /// Its kind.
    pub(super) upstream: UpstreamKind,
    /// The key itself.
    pub(super) api_key: Option<SecretString>,
    /// A file that holds it.
    pub(super) api_key_file: Option<PathBuf>,
    /// The variable that holds it.
    pub(super) api_key_env: Option<String>,
    /// The id of a user key.
    pub(super) user_key_id: Option<SecretString>,
    /// A file that holds it.
    pub(super) user_key_id_file: Option<PathBuf>,
    /// The variable that holds it.
    pub(super) user_key_id_env: Option<String>,
    /// The secret of a user key.
    pub(super) user_key_secret: Option<SecretString>,
    /// A file that holds it.
    pub(super) user_key_secret_file: Option<PathBuf>,
    /// The variable that holds it.
    pub(super) user_key_secret_env: Option<String>,
    /// The address of the API, where it is not the usual one.
    pub(super) base_url: Option<String>,
    /// The accounts to read, where not all.
    #[serde(default)]
    pub(super) accounts: Vec<String>,
    /// Brands to track beside those that the upstream tracks.
    #[serde(default)]
    pub(super) brands: Vec<Entry>,
    /// What to call the project, where the upstream does not say.
    pub(super) project_name: Option<String>,
    /// Which runs count.
    pub(super) runs: Option<RunsConfig>,
    /// Ask for each run by its id as well.
    pub(super) run_details: Option<bool>,
}

/// Where a secret may stand; the first of them counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) variable: Option<&'a str>,
    pub(super) file: Option<&'a Path>,
    pub(super) value: Option<&'a SecretString>,
}

impl Place<'_> {
    fn is_empty(&self) -> bool {
        self.variable.is_none() && self.file.is_none() && self.value.is_none()
    }
}

impl Source {
    pub(super) fn of(upstream: UpstreamKind) -> Self {
        Self {
            upstream,
            api_key: None,
            api_key_file: None,
            api_key_env: None,
            user_key_id: None,
            user_key_id_file: None,
            user_key_id_env: None,
            user_key_secret: None,
            user_key_secret_file: None,
            user_key_secret_env: None,
            base_url: None,
            accounts: Vec::new(),
            brands: Vec::new(),
            project_name: None,
            runs: None,
            run_details: None,
        }
    }

    /// Where its key stands.
    pub(super) fn key(&self) -> Place<'_> {
        Place {
            variable: self.api_key_env.as_deref(),
            file: self.api_key_file.as_deref(),
            value: self.api_key.as_ref(),
        }
    }

    /// Where the id and the secret of its user key stand, if it has one and no key that goes before it.
    pub(super) fn user_key(&self) -> Option<(Place<'_>, Place<'_>)> {
        let id = Place {
            variable: self.user_key_id_env.as_deref(),
            file: self.user_key_id_file.as_deref(),
            value: self.user_key_id.as_ref(),
        };
        let secret = Place {
            variable: self.user_key_secret_env.as_deref(),
            file: self.user_key_secret_file.as_deref(),
            value: self.user_key_secret.as_ref(),
        };
        (self.key().is_empty() && !(id.is_empty() && secret.is_empty())).then_some((id, secret))
    }
}

pub(super) fn read(path: &Path) -> Result<File, Error> {
    let text = std::fs::read_to_string(path).map_err(|cause| Error::Unreadable { path: path.to_owned(), cause })?;
    toml::from_str(&text).map_err(|error| {
        // The error's own text shows the line, which may hold a key.
        let line = error.span().map_or(0, |span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
        let cause = format!("line {line}: {}", error.message());
        Error::Invalid { path: path.to_owned(), cause }
    })
}
