//! The TOML file as it is written.

use super::Error;
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
}

/// One source; its key stands in one of three places.
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
    /// The address of the API, where it is not the usual one.
    pub(super) base_url: Option<String>,
}

impl Source {
    pub(super) fn of(upstream: UpstreamKind) -> Self {
        Self { upstream, api_key: None, api_key_file: None, api_key_env: None, base_url: None }
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
