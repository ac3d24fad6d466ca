//! Figures about a server that serves many, in the text form that Prometheus reads. No name of a person or a project.

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use std::{fmt, time::Duration};

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct CallLabels {
    tool: &'static str,
    outcome: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ToolLabel {
    tool: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    status: u16,
}

/// The figures.
pub(super) struct Metrics {
    registry: Registry,
    calls: Family<CallLabels, Counter>,
    seconds: Family<ToolLabel, Histogram>,
    bytes: Family<ToolLabel, Counter>,
    requests: Family<RequestLabels, Counter>,
    sessions: Gauge,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("visibility_mcp");
        // A tenth of a millisecond to 26 seconds.
        let buckets: fn() -> Histogram = || Histogram::new(exponential_buckets(0.000_1, 4.0, 10));
        let new = Self {
            calls: Family::default(),
            seconds: Family::new_with_constructor(buckets),
            bytes: Family::default(),
            requests: Family::default(),
            sessions: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("calls", "Calls of tools by outcome", new.calls.clone());
        registry.register_with_unit("call_duration", "How long calls took", Unit::Seconds, new.seconds.clone());
        registry.register_with_unit("answers", "Size of answers as JSON text", Unit::Bytes, new.bytes.clone());
        registry.register("http_requests", "HTTP requests by route and status", new.requests.clone());
        registry.register("sessions", "Open sessions of the older protocol", new.sessions.clone());
        Self { registry, ..new }
    }

    pub(super) fn call(&self, tool: &'static str, outcome: &'static str, took: Duration, bytes: usize) {
        self.calls.get_or_create(&CallLabels { tool, outcome }).inc();
        self.seconds.get_or_create(&ToolLabel { tool }).observe(took.as_secs_f64());
        self.bytes.get_or_create(&ToolLabel { tool }).inc_by(bytes as u64);
    }

    pub(super) fn request(&self, route: &'static str, status: u16) {
        self.requests.get_or_create(&RequestLabels { route, status }).inc();
    }

    /// The text, with how many sessions are open now.
    pub(super) fn text(&self, sessions: usize) -> Result<String, fmt::Error> {
        self.sessions.set(i64::try_from(sessions).unwrap_or(i64::MAX));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
