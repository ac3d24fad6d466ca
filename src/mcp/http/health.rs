//! Is the server alive, and ready to answer: in words that tell a stranger nothing else.

use crate::{
    mcp::{Backend, ToolError},
    store::Reader,
};
use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// Ready: the cache can be read, and the last sync of no source failed.
pub(super) async fn ready(State(backend): State<Arc<Backend>>) -> (StatusCode, Json<Value>) {
    let looked = tokio::task::spawn_blocking(move || look(&backend)).await;
    let (cache, sync) = looked.unwrap_or(("unreadable", "unknown"));
    let is_ready = cache == "ok" && sync != "failing";
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": is_ready, "cache": cache, "sync": sync })))
}

fn look(backend: &Backend) -> (&'static str, &'static str) {
    let cx = backend.cx();
    let failing = cx.read(|reader: &Reader| {
        let mut failing = false;
        for project in reader.projects()? {
            failing |= reader.last_sync(&project.key.source)?.is_some_and(|last| last.error.is_some());
        }
        Ok(failing)
    });
    match failing {
        Ok(false) => ("ok", "ok"),
        Ok(true) => ("ok", "failing"),
        Err(ToolError::NotSynced { .. }) => ("empty", "unknown"),
        Err(_) => ("unreadable", "unknown"),
    }
}
