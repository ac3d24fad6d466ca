//! Bearer tokens of a file: only their hashes are kept, and the file is read again when it changes.

use super::{is_vouched, projects};
use crate::mcp::{
    Principal,
    http::{Authenticate, Denied},
};
use axum::http::{StatusCode, header};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::BoxFuture;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};
use subtle::ConstantTimeEq as _;

// A change counts within this time.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// What tokens of files begin with.
pub(super) const PREFIX: &str = "vis_";
const BYTES: usize = 32;

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// It can't be read.
    #[error("cannot read the token file `{}`: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It is not what it should be.
    #[error("the token file `{}` is not valid: {cause}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Why, with the line.
        cause: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    #[serde(default)]
    tokens: Vec<Token>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    name: String,
    sha256: String,
    projects: Vec<String>,
    #[serde(default)]
    sync: bool,
}

type Known = Vec<([u8; 32], Arc<Principal>)>;

/// The tokens of a file.
pub struct TokenFile {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    known: Known,
    /// When the file was written, as read last.
    written: Option<SystemTime>,
    looked: Instant,
}

impl TokenFile {
    /// Reads the file.
    ///
    /// # Errors
    /// That it cannot be read, or what is wrong in it.
    pub fn read(path: &Path) -> Result<Self, TokenFileError> {
        let written = written(path);
        let known = read(path)?;
        Ok(Self { path: path.to_owned(), state: Mutex::new(State { known, written, looked: Instant::now() }) })
    }

    /// Whose token it is. Every hash is compared to its end, so that the time taken says nothing.
    fn holder(&self, token: &str) -> Option<Arc<Principal>> {
        let given: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let mut found = None;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.look_again(&mut state);
        for (hash, principal) in &state.known {
            if bool::from(hash.ct_eq(&given)) {
                found = Some(Arc::clone(principal));
            }
        }
        found
    }

    /// A file that was changed into one that cannot be used lets nobody in: a token that was taken out must not stay.
    fn look_again(&self, state: &mut State) {
        if state.looked.elapsed() < LOOK_EVERY {
            return;
        }
        state.looked = Instant::now();
        let written = written(&self.path);
        if written == state.written {
            return;
        }
        state.written = written;
        state.known = read(&self.path).unwrap_or_else(|error| {
            tracing::error!(%error, "no token is accepted until the file is mended");
            Known::new()
        });
    }
}

impl Authenticate for TokenFile {
    fn authenticate<'a>(&'a self, token: Option<&'a str>) -> BoxFuture<'a, Result<Arc<Principal>, Denied>> {
        let denied = |challenge: &str, words| Denied {
            status: StatusCode::UNAUTHORIZED,
            header: (header::WWW_AUTHENTICATE, challenge.to_owned()),
            words,
        };
        let done = match token {
            None => Err(denied("Bearer realm=\"visibility-mcp\"", "a token is needed: Authorization: Bearer TOKEN")),
            Some(token) => self.holder(token).ok_or_else(|| {
                denied(
                    "Bearer realm=\"visibility-mcp\", error=\"invalid_token\"",
                    "this token is not known here; ask whoever runs the server for one",
                )
            }),
        };
        Box::pin(std::future::ready(done))
    }
}

fn written(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|found| found.modified()).ok()
}

fn read(path: &Path) -> Result<Known, TokenFileError> {
    let text = fs::read_to_string(path).map_err(|cause| TokenFileError::Unreadable { path: path.to_owned(), cause })?;
    let invalid = |cause: String| TokenFileError::Invalid { path: path.to_owned(), cause };
    // The parser's own words quote the line, in which there is no secret: a hash is none.
    let listed: Listed = toml::from_str(&text).map_err(|error| invalid(error.to_string()))?;
    let mut names = BTreeSet::new();
    listed
        .tokens
        .into_iter()
        .map(|token| {
            let name = token.name.trim().to_owned();
            let kept = name == Principal::owner().name || is_vouched(&name);
            if name.is_empty() || kept || !names.insert(name.clone()) {
                return Err(invalid(format!(
                    "the name {:?} is empty, taken, `owner`, or one of `oauth:`; give each token its own",
                    token.name
                )));
            }
            let hash = hash(&token.sha256).ok_or_else(|| {
                invalid(format!("sha256 of {name} must be 64 hexadecimal digits; `visibility-mcp token` prints them"))
            })?;
            let projects =
                projects(token.projects).map_err(|problem| invalid(format!("projects of {name}: {problem}")))?;
            Ok((hash, Arc::new(Principal { name, projects, may_sync: token.sync })))
        })
        .collect()
}

fn hash(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// A new token, to be shown once, and what the file keeps of it.
#[derive(Debug)]
pub struct Minted {
    /// The token itself.
    pub token: String,
    /// Its hash, in hexadecimal digits.
    pub sha256: String,
}

/// Makes a token of 256 random bits.
///
/// # Errors
/// Where the system has no randomness to give.
pub fn mint() -> io::Result<Minted> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
    let sha256 = Sha256::digest(token.as_bytes()).iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    });
    Ok(Minted { token, sha256 })
}
