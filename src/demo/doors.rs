//! The listener and the bodies that come out of it, whole or broken.
//!
//! A connection is shared between the server and its handler, since only one who holds the socket can reset it.

use axum::{
    Router,
    body::Body,
    extract::connect_info::Connected,
    http::HeaderValue,
    response::Response,
    serve::{IncomingStream, Listener},
};
use futures_util::{StreamExt as _, stream};
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

/// How long an answer under way may take after the server was told to stop.
const GRACE: Duration = Duration::from_millis(200);

/// Serves until told to stop.
pub(super) async fn serve(listener: TcpListener, app: Router, stop: CancellationToken) {
    let app = app.into_make_service_with_connect_info::<Line>();
    let graceful = axum::serve(Doors(listener), app).with_graceful_shutdown(stop.clone().cancelled_owned());
    let limit = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        // Errors of single connections do not end it.
        _ = graceful.into_future() => {}
        () = limit => {}
    }
}

/// Serves on a thread and a runtime of its own, for callers that have none.
pub(super) fn serve_on_thread(
    name: &str,
    listener: std::net::TcpListener,
    app: Router,
    stop: CancellationToken,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        runtime.block_on(async move {
            match TcpListener::from_std(listener) {
                Ok(listener) => serve(listener, app, stop).await,
                Err(error) => tracing::error!(%error, "the demo server did not start"),
            }
        });
    })?;
    Ok(())
}

/// A listener whose connections can be reset.
#[derive(Debug)]
struct Doors(TcpListener);

impl Listener for Doors {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, address)) => return (Line { stream: Arc::new(stream), is_cut: Arc::default() }, address),
                // Out of descriptors, most likely: they come back.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection.
#[derive(Clone, Debug)]
pub(super) struct Line {
    stream: Arc<TcpStream>,
    /// Nothing can be written any more, so that the server closes it without another byte.
    is_cut: Arc<AtomicBool>,
}

impl Connected<IncomingStream<'_, Doors>> for Line {
    fn connect_info(stream: IncomingStream<'_, Doors>) -> Self {
        stream.io().clone()
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            match self.stream.try_read(buf.initialize_unfilled()) {
                Ok(read) => {
                    buf.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_cut.load(Ordering::Relaxed) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            match self.stream.try_write(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return Poll::Ready(other),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Closing the socket says the same, and happens when the last holder lets go.
        Poll::Ready(Ok(()))
    }
}

/// How long the half of a body that is sent before a reset is given to arrive.
const BEFORE_RESET: Duration = Duration::from_millis(20);

/// How a body gets to the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Way {
    /// In one piece.
    #[default]
    Whole,
    /// Not at all, nor the headers: the connection is closed.
    Closed,
    /// Half of it, then the connection is reset.
    Reset,
    /// Half of it, although `Content-Length` promises all.
    Truncated,
    /// All of it in drops of so many bytes, with a pause before each.
    Drip(usize, Duration),
}

/// Sends the body on its way.
pub(super) fn send(response: &mut Response, body: String, way: Way, line: Line) {
    let bytes = body.into_bytes();
    let half = || bytes.get(..bytes.len() / 2).unwrap_or_default().to_vec();
    let cut = |wait: Duration, reset: Option<Line>| {
        let end = async move {
            tokio::time::sleep(wait).await;
            if let Some(line) = reset {
                // On failure the connection is closed in the ordinary way, which cuts the body all the same.
                let _ = line.stream.set_zero_linger();
            }
            Err::<Vec<u8>, _>(io::Error::from(io::ErrorKind::ConnectionReset))
        };
        Body::from_stream(stream::iter([Ok(half())]).chain(stream::once(end)))
    };
    let whole = HeaderValue::from(bytes.len());
    *response.body_mut() = match way {
        Way::Whole => Body::from(bytes),
        Way::Closed => {
            line.is_cut.store(true, Ordering::Relaxed);
            Body::empty()
        }
        Way::Reset => cut(BEFORE_RESET, Some(line)),
        Way::Truncated => {
            response.headers_mut().insert("content-length", whole);
            cut(BEFORE_RESET, None)
        }
        Way::Drip(chunk, pause) => {
            response.headers_mut().insert("content-length", whole);
            let drops: Vec<Vec<u8>> = bytes.chunks(chunk.max(1)).map(<[u8]>::to_vec).collect();
            Body::from_stream(stream::iter(drops).then(move |drop| async move {
                tokio::time::sleep(pause).await;
                Ok::<_, io::Error>(drop)
            }))
        }
    };
}
