//! HTTP+SSE of 2024-11-05, for clients that speak nothing newer: one stream of events out, messages posted in.

use super::{
    guard::{self, Refusal},
    sessions::{Sessions, SseSession},
};
use crate::mcp::Principal;
use axum::{
    Extension,
    body::Bytes,
    extract::{Query, State},
    http::{StatusCode, request::Parts},
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, StreamExt as _, stream};
use rmcp::{
    ServerHandler, ServiceExt as _,
    model::{ClientJsonRpcMessage, ServerJsonRpcMessage},
};
use serde::Deserialize;
use std::{convert::Infallible, sync::Arc};
use tokio::sync::mpsc;
use tokio_util::sync::PollSender;

// Messages of one session on their way, each direction. A client that does not read is not written to.
const WAITING: usize = 32;

/// Opens a session: the first event says where to post messages, the others are the server's messages.
pub(super) async fn open<S: ServerHandler>(
    State((server, sessions)): State<(S, Arc<Sessions>)>,
    Extension(principal): Extension<Arc<Principal>>,
) -> Result<Response, Refusal> {
    if !sessions.has_room().await {
        return Err(guard::full());
    }
    let id = uuid::Uuid::new_v4().to_string();
    let (incoming, mut messages) = mpsc::channel::<ClientJsonRpcMessage>(WAITING);
    let (answers, mut outgoing) = mpsc::channel::<ServerJsonRpcMessage>(WAITING);
    sessions.lock_sse().insert(id.clone(), SseSession { principal, incoming });

    let closing = sessions.closing.clone();
    // To close looks like the end of what the client says, so that calls at work finish and are answered.
    let messages = stream::poll_fn(move |cx| messages.poll_recv(cx)).take_until(closing.cancelled_owned());
    tokio::spawn(async move {
        if let Ok(running) = server.serve((PollSender::new(answers), Box::pin(messages))).await {
            let _ = running.waiting().await;
        }
    });

    let end = EndOnDrop { sessions, id: id.clone() };
    let first = Event::default().event("endpoint").data(format!("/messages?sessionId={id}"));
    let rest = stream::poll_fn(move |cx| {
        let _ = &end;
        outgoing.poll_recv(cx)
    });
    let rest = rest.filter_map(|message| async move { Event::default().event("message").json_data(message).ok() });
    let events = stream::once(async { first }).chain(rest).map(Ok::<_, Infallible>);
    Ok(answer(events))
}

fn answer(events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    // A proxy that gathers events before it passes them on would hold back every answer.
    ([("x-accel-buffering", "no")], Sse::new(events).keep_alive(KeepAlive::default())).into_response()
}

#[derive(Debug, Deserialize)]
pub(super) struct Session {
    #[serde(rename = "sessionId")]
    session_id: String,
}

/// Takes one message of a session.
pub(super) async fn message(
    State(sessions): State<Arc<Sessions>>,
    Extension(principal): Extension<Arc<Principal>>,
    Query(session): Query<Session>,
    parts: Parts,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let incoming = {
        let open = sessions.lock_sse();
        // Another's session is as unknown as none.
        open.get(&session.session_id)
            // So is one that was opened with a token of other rights: what is asked there is asked with those.
            .filter(|session| session.principal == principal)
            .map(|session| session.incoming.clone())
    };
    let unknown = || Refusal::new(StatusCode::NOT_FOUND, "no such session; open one at /sse");
    let incoming = incoming.ok_or_else(unknown)?;
    let mut message = serde_json::from_slice::<ClientJsonRpcMessage>(&body)
        .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "the body must be one JSON-RPC message"))?;
    // Who asks, as Streamable HTTP hands it on.
    message.insert_extension(parts);
    match incoming.try_send(message) {
        Ok(()) => Ok(StatusCode::ACCEPTED),
        Err(mpsc::error::TrySendError::Full(_)) => Err(guard::busy()),
        Err(mpsc::error::TrySendError::Closed(_)) => Err(unknown()),
    }
}

/// A session ends with its stream of events.
struct EndOnDrop {
    sessions: Arc<Sessions>,
    id: String,
}

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.sessions.lock_sse().remove(&self.id);
    }
}
