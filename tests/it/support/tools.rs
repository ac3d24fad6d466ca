//! Tools that do what tools should not: panic, run on, answer too much.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::Semaphore;
use visibility_mcp::mcp::{
    Lane, Registry, Tool, ToolCx, ToolError,
    params::{BrandName, Limit, NoParams, Period, ResponseFormat},
};

pub fn registry() -> Registry {
    Registry::new().with::<Echo>().with::<Panics>().with::<Busy>().with::<Deaf>().with::<Huge>().with::<Cached>()
}

/// Where a test meets a run that goes on: both know the key.
#[derive(Debug)]
pub struct Gate {
    /// One permit for each run begun.
    pub begun: Semaphore,
    /// One permit for each run that saw that it must stop.
    pub stopped: Semaphore,
    open: AtomicBool,
}

impl Gate {
    pub fn of(key: &str) -> Arc<Self> {
        static GATES: LazyLock<Mutex<HashMap<String, Arc<Gate>>>> = LazyLock::new(Mutex::default);
        let new = || Arc::new(Self { begun: Semaphore::new(0), stopped: Semaphore::new(0), open: false.into() });
        Arc::clone(GATES.lock().unwrap().entry(key.to_owned()).or_insert_with(new))
    }

    /// Lets every run of the key end.
    pub fn open(&self) {
        self.open.store(true, Ordering::Relaxed);
    }

    fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }
}

macro_rules! page {
    ($words:literal, $example:literal) => {
        concat!($words, "\n\n## Example\n\n```json\n", $example, "\n```\n")
    };
}

pub struct Echo;

#[derive(Deserialize, JsonSchema)]
pub struct EchoParams {
    /// What to say.
    text: String,
    brand: Option<BrandName>,
    #[serde(default)]
    limit: Limit,
    #[serde(default)]
    period: Period,
    #[serde(default)]
    response_format: ResponseFormat,
}

#[derive(Serialize, JsonSchema)]
pub struct EchoAnswer {
    /// What was said.
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    brand: Option<String>,
    limit: u32,
    days: String,
    detailed: bool,
    rows: Vec<Vec<serde_json::Value>>,
}

impl Tool for Echo {
    const NAME: &'static str = "echo";
    const TITLE: &'static str = "Echo";
    const PAGE: &'static str = page!("Says what it is told.", r#"{"text": "hello", "period": "2026-10"}"#);
    type Params = EchoParams;
    type Answer = EchoAnswer;

    fn call(cx: &ToolCx<'_>, params: EchoParams) -> Result<EchoAnswer, ToolError> {
        Ok(EchoAnswer {
            rows: vec![vec![params.text.clone().into(), 1.5.into(), serde_json::Value::Null]],
            text: params.text,
            brand: params.brand.map(|brand| brand.to_string()),
            limit: params.limit.into(),
            days: params.period.days(cx.today()).to_string(),
            detailed: params.response_format.is_detailed(),
        })
    }
}

#[derive(Serialize, JsonSchema)]
pub struct Done {
    done: bool,
}

pub struct Panics;

impl Tool for Panics {
    const NAME: &'static str = "panics";
    const TITLE: &'static str = "Panics";
    const PAGE: &'static str = page!("Panics.", "{}");
    type Params = NoParams;
    type Answer = Done;

    fn call(_: &ToolCx<'_>, _: NoParams) -> Result<Done, ToolError> {
        panic!("a secret that must not get out")
    }
}

#[derive(Deserialize, JsonSchema)]
pub struct GateParams {
    /// The gate to wait at.
    key: String,
}

/// Runs until its gate is open, and stops when it is told to.
pub struct Busy;

impl Tool for Busy {
    const NAME: &'static str = "busy";
    const TITLE: &'static str = "Busy";
    const PAGE: &'static str = page!("Runs on until its gate opens.", r#"{"key": "open"}"#);
    type Params = GateParams;
    type Answer = Done;

    fn call(cx: &ToolCx<'_>, params: GateParams) -> Result<Done, ToolError> {
        let gate = Gate::of(&params.key);
        gate.begun.add_permits(1);
        while !gate.is_open() {
            if let Err(stop) = cx.check() {
                gate.stopped.add_permits(1);
                return Err(stop);
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        Ok(Done { done: true })
    }
}

/// Runs until its gate is open and does not listen.
pub struct Deaf;

impl Tool for Deaf {
    const NAME: &'static str = "deaf";
    const TITLE: &'static str = "Deaf";
    const PAGE: &'static str = page!("Runs on until its gate opens, and does not listen.", r#"{"key": "open"}"#);
    const LANE: Lane = Lane::Slow;
    type Params = GateParams;
    type Answer = Done;

    fn call(_: &ToolCx<'_>, params: GateParams) -> Result<Done, ToolError> {
        let gate = Gate::of(&params.key);
        gate.begun.add_permits(1);
        while !gate.is_open() {
            std::thread::sleep(Duration::from_micros(200));
        }
        Ok(Done { done: true })
    }
}

pub struct Huge;

#[derive(Deserialize, JsonSchema)]
pub struct HugeParams {
    /// How many characters to answer.
    chars: usize,
}

#[derive(Serialize, JsonSchema)]
pub struct HugeAnswer {
    text: String,
}

impl Tool for Huge {
    const NAME: &'static str = "huge";
    const TITLE: &'static str = "Huge";
    const PAGE: &'static str = page!("Answers at length.", r#"{"chars": 10}"#);
    type Params = HugeParams;
    type Answer = HugeAnswer;

    fn call(_: &ToolCx<'_>, params: HugeParams) -> Result<HugeAnswer, ToolError> {
        Ok(HugeAnswer { text: "ä".repeat(params.chars) })
    }
}

pub struct Cached;

impl Tool for Cached {
    const NAME: &'static str = "cached";
    const TITLE: &'static str = "Cached";
    const PAGE: &'static str = page!("Needs the cache.", "{}");
    type Params = NoParams;
    type Answer = Done;

    fn call(cx: &ToolCx<'_>, _: NoParams) -> Result<Done, ToolError> {
        cx.read(|_| Ok(Done { done: true }))
    }
}
