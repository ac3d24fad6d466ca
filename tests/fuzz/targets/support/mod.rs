//! What the targets share: a small cache of the demo's data, made once a process, and what every answer must be.
#![allow(dead_code, reason = "no target needs all of it")]

pub mod bodies;

use serde_json::{Map, Value};
use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use visibility_mcp::{
    clock::Clock,
    demo::{
        verseodin::{ServerOptions, VerseodinServer, WorldTracker},
        world::{World, WorldSize},
    },
    mcp::{Backend, Limits, Registry, Setup, ToolError},
    store::Store,
    sync::SyncOptions,
    tools,
    upstream::{
        self, Upstream,
        verseodin::{Verseodin, VerseodinConfig},
    },
};

pub const SOURCE: &str = "demo-verseodin";

/// Every tool, the one with SQL too.
pub static TOOLS: LazyLock<Registry> = LazyLock::new(tools::catalogue_with_sql);

/// A cache of two projects of a few prompts and days.
pub static CACHE: LazyLock<Cache> = LazyLock::new(Cache::new);

pub struct Cache {
    pub backend: Arc<Backend>,
    _folder: TempDir,
}

impl Cache {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().join("cache.sqlite"));
        let clock = Clock::fixed("2026-11-22T12:00:00Z".parse().unwrap());
        let size = WorldSize { prompts: vec![5, 3], days: 12, ..WorldSize::demo() };
        let world = Arc::new(World::new(size, 7, "2026-11-21".parse().unwrap()));
        let options = ServerOptions::unhurried();
        let server = VerseodinServer::spawn_on_thread(Arc::new(WorldTracker::new(world)), options).unwrap();
        let client = Verseodin::new(VerseodinConfig {
            source: SOURCE.into(),
            api_key: server.key().to_owned().into(),
            base_url: server.base_url().parse().unwrap(),
            key_variable: "VERSEODIN_API_KEY".to_owned(),
            limits: upstream::Limits::default(),
        });
        let sources: Vec<Arc<dyn Upstream>> = vec![Arc::new(client.unwrap())];
        let options = SyncOptions {
            history_days: 90,
            brands: Arc::default(),
            clock: clock.clone(),
            cancel: CancellationToken::new(),
            on_progress: Arc::new(|_| ()),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let report = runtime.block_on(visibility_mcp::sync::sync(&sources, &store, options)).unwrap();
        assert!(report.is_success(), "{report:?}");
        let setup = Setup { sources: vec![SOURCE.into()], problems: Vec::new() };
        Self { backend: Arc::new(Backend::new(store, clock, setup)), _folder: folder }
    }
}

/// A statement that never ends is stopped soon.
pub fn limits() -> Limits {
    Limits { total: Duration::from_millis(500), ..Limits::default() }
}

/// Calls a tool. Whatever it is asked, it answers within its bounds, or refuses in one to three lines of its own words.
pub fn call(tool: &str, arguments: &Map<String, Value>) -> Result<Value, ToolError> {
    let done = TOOLS.call(tool, arguments, &CACHE.backend, limits());
    match &done {
        Ok(answer) => {
            let text = answer.to_string();
            assert!(answer.is_object() && text.chars().count() <= 90_000, "{tool}: {} bytes", text.len());
            assert_shown(&text);
        }
        Err(error) => {
            let words = error.to_string();
            assert!((1..=3).contains(&words.lines().count()) && words.len() < 6_000, "{tool}: {words}");
            assert!(!["internal", "too_large", "cancelled"].contains(&error.class()), "{tool}: {words}");
            assert_shown(&words);
        }
    }
    done
}

/// Holds nothing that a reader does not see, begins no image and no HTML.
pub fn assert_shown(text: &str) {
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let after = chars.peek().copied().unwrap_or(' ');
        // Letters in circles and squares are pictures too.
        let is_letter =
            |c: char| c.is_alphabetic() && !matches!(c, '\u{2139}' | '\u{24c2}' | '\u{1f130}'..='\u{1f189}');
        let joins = |c: char| !c.is_ascii() && !is_letter(c) && !c.is_whitespace();
        match c {
            '\n' | '\t' | ' '..='~' => {}
            // Between the parts of an emoji alone.
            '\u{200d}' => assert!(joins(before) && joins(after), "a joiner in {text:?}"),
            '\u{fe0f}' => assert!(joins(before), "an emoji style in {text:?}"),
            '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{e000}'..='\u{f8ff}'
            | '\u{e0000}'..='\u{10ffff}' => {
                panic!("hidden {c:?} in {text:?}")
            }
            c => assert!(!c.is_control(), "control {c:?} in {text:?}"),
        }
        assert!(!(c == '!' && after == '['), "an image in {text:?}");
        let opens = after.is_ascii_alphabetic() || matches!(after, '/' | '!' | '?');
        assert!(!(c == '<' && opens), "HTML in {text:?}");
        before = c;
    }
}

/// Bytes as the choices that they stand for; nothing is left of them at the end.
pub struct Choices<'a>(pub &'a [u8]);

impl<'a> Choices<'a> {
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub fn of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[usize::from(self.byte()) % all.len()]
    }

    /// A text as long as the next byte says.
    pub fn text(&mut self) -> String {
        let length = usize::from(self.byte()).min(self.0.len());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }

    /// All that is left, as text.
    pub fn rest(self) -> String {
        String::from_utf8_lossy(self.0).into_owned()
    }
}
