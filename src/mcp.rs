//! The MCP side: what a tool is, how a call becomes a tool run, and how both protocol eras are served.
//!
//! A tool is one type that implements [`Tool`]: words, parameters, an answer, and a synchronous function over a
//! read-only [`ToolCx`]. It knows nothing of the protocol, so the same [`Registry`] answers the command line. What
//! every call needs (checked arguments, a caught panic, limits of time and size, a log line) is in `adapter` once.

mod adapter;
mod answer;
mod arguments;
mod calls;
mod cx;
mod documents;
mod error;
mod fetch;
pub mod http;
mod lanes;
mod limits;
mod metrics;
mod nearest;
mod page;
pub mod params;
mod plans;
mod principal;
pub mod quote;
mod registry;
mod schema;
mod server;
pub mod transport;

pub use cx::{Backend, Setup, ToolCx};
pub use documents::{Document, Documents};
pub use error::{Stop, ToolError};
pub use fetch::{Fetch, OnStep, Step};
pub use limits::Limits;
pub use nearest::nearest;
pub use plans::Plan;
pub use principal::Principal;
pub use registry::{Complete, Registry, ToolInfo, UnknownTool};
pub use server::{INSTRUCTIONS, Server};

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

/// A tool: one question that can be asked of the cache.
///
/// Declared without state; what a call needs comes with the call.
pub trait Tool: 'static {
    /// The name that clients call, `verb_noun` in snake case; the stem of the tool's file.
    const NAME: &'static str;
    /// The name that people see.
    const TITLE: &'static str;
    /// The tool's Markdown page. The text up to the first `## ` is the description that the model reads; a JSON block
    /// under `## Example` is a call that tests make.
    const PAGE: &'static str;
    /// What the tool does to the world, as clients ask before they let a model use it.
    const HINTS: Hints = Hints::READ;
    /// Where it runs.
    const LANE: Lane = Lane::Fast;

    /// The arguments. Their doc comments reach the model; use the shared types of [`params`].
    type Params: DeserializeOwned + JsonSchema;
    /// The answer, an object.
    type Answer: Serialize + JsonSchema;

    /// Answers one call.
    ///
    /// It may be run twice for one call: a run that exceeds the first lane's budget is stopped and begun anew on a
    /// reader thread. Everything that takes time goes through [`ToolCx::read`], or asks [`ToolCx::check`] now and then.
    ///
    /// # Errors
    /// A [`ToolError`] that tells the model what to do next.
    fn call(cx: &ToolCx<'_>, params: Self::Params) -> Result<Self::Answer, ToolError>;
}

/// Where a tool runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lane {
    /// At once on the runtime's thread; what takes longer than its short budget goes to a reader thread.
    Fast,
    /// On a reader thread from the start, where the work is known to be too much for the first lane.
    Slow,
    /// On a thread of its own, one call at a time, for as long as a sync may be waited for.
    Network,
}

/// A tool's annotations; all four are always sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are the protocol's own four")]
pub struct Hints {
    /// Changes nothing.
    pub read_only: bool,
    /// May destroy something.
    pub destructive: bool,
    /// Calling it again with the same arguments changes nothing more.
    pub idempotent: bool,
    /// Its answers carry text from outside.
    pub open_world: bool,
}

impl Hints {
    /// Reads the cache and quotes third parties.
    pub const READ: Self = Self { read_only: true, destructive: false, idempotent: true, open_world: true };
    /// Writes to the cache what it fetches; nothing is destroyed.
    pub const FETCH: Self = Self { read_only: false, ..Self::READ };
    /// Reads what this program itself knows; no third-party text.
    pub const OWN_WORDS: Self = Self { open_world: false, ..Self::READ };
}
