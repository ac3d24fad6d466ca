//! How the server is reached. On stdio, stdout belongs to the protocol alone.

use super::Server;
use rmcp::{
    ServiceExt as _,
    service::{QuitReason, ServerInitializeError},
    transport::stdio_pipes,
};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    runtime::{Builder, Runtime},
    task::JoinError,
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

// Two slow runs, one that waits for the network, the store's own work, and what signals and files need.
const BLOCKING_THREADS: usize = 8;

/// Serving ended otherwise than by the end of input or a request to stop.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The first message was not one that opens a session.
    #[error("the client did not open a session as the protocol asks: {0}")]
    Open(#[from] Box<ServerInitializeError>),
    /// The serving task itself failed.
    #[error("serving ended with a fault: {0}")]
    Lost(#[from] JoinError),
}

/// The runtime for stdio: one thread, so that a call costs no hop to another.
///
/// End it with [`Runtime::shutdown_background`]: where stdin is not a pipe, a read of it cannot be called back.
///
/// # Errors
/// Where the system has no resources for it.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().max_blocking_threads(BLOCKING_THREADS).build()
}

/// Serves one client on stdin and stdout until the end of input, SIGTERM, SIGINT, or `shutdown`. Calls at work are
/// given five seconds to finish.
///
/// # Errors
/// [`ServeError`] where the client does not speak the protocol or serving fails.
pub async fn serve_stdio(server: Server, shutdown: CancellationToken) -> Result<(), ServeError> {
    let signals = tokio::spawn({
        let shutdown = shutdown.clone();
        async move {
            signalled().await;
            shutdown.cancel();
        }
    });
    let (reader, writer) = stdio_pipes();
    let done = serve(server, reader, writer, shutdown).await;
    signals.abort();
    done
}

/// Serves one client on a pair of streams until the end of input or `shutdown`.
///
/// # Errors
/// As [`serve_stdio`].
pub async fn serve<R, W>(server: Server, reader: R, writer: W, shutdown: CancellationToken) -> Result<(), ServeError>
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    // To stop looks like the end of input, so that calls at work finish and are answered; cancelling the service
    // would cancel them too.
    let reader = Until { reader, stop: Box::pin(shutdown.cancelled_owned()) };
    let running = match server.serve((reader, writer)).await {
        Ok(running) => running,
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(Box::new(error).into()),
    };
    match running.waiting().await? {
        QuitReason::JoinError(error) => Err(error.into()),
        _ => Ok(()),
    }
}

// A reader that is at its end once it is told to stop.
struct Until<R> {
    reader: R,
    stop: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl<R: AsyncRead + Unpin> AsyncRead for Until<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.stop.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.reader).poll_read(cx, buf)
    }
}

/// Ends at SIGTERM or SIGINT.
#[cfg(unix)]
pub async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};

    let (terminate, interrupt) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = (terminate, interrupt) else {
        tracing::warn!("signals cannot be watched; close stdin to stop the server");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Ends when the person stops the program.
#[cfg(not(unix))]
pub async fn signalled() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
