//! The listener and the bodies that come out of it, whole or broken.
//!
//! A connection is shared between the server and its handler, since only one who holds the socket can reset it.

use super::faults::Fault;
use axum::{
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
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

/// A listener whose connections can be reset.
#[derive(Debug)]
pub(super) struct Doors(pub(super) TcpListener);

impl Listener for Doors {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, address)) => return (Line(Arc::new(stream)), address),
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
pub(super) struct Line(Arc<TcpStream>);

impl Connected<IncomingStream<'_, Doors>> for Line {
    fn connect_info(stream: IncomingStream<'_, Doors>) -> Self {
        stream.io().clone()
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(cx))?;
            match self.0.try_read(buf.initialize_unfilled()) {
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
        loop {
            ready!(self.0.poll_write_ready(cx))?;
            match self.0.try_write(buf) {
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

/// Sends the body through the faults that are about its way and not about its content.
pub(super) fn send(response: &mut Response, body: String, faults: &[Fault], line: Line) {
    let bytes = body.into_bytes();
    let half = || bytes.get(..bytes.len() / 2).unwrap_or_default().to_vec();
    let cut = |wait: Duration, reset: Option<Line>| {
        let end = async move {
            tokio::time::sleep(wait).await;
            if let Some(line) = reset {
                // On failure the connection is closed in the ordinary way, which cuts the body all the same.
                let _ = line.0.set_zero_linger();
            }
            Err::<Vec<u8>, _>(io::Error::from(io::ErrorKind::ConnectionReset))
        };
        Body::from_stream(stream::iter([Ok(half())]).chain(stream::once(end)))
    };
    let whole = HeaderValue::from(bytes.len());
    *response.body_mut() = if faults.contains(&Fault::Reset) {
        cut(BEFORE_RESET, Some(line))
    } else if faults.contains(&Fault::Truncated) {
        response.headers_mut().insert("content-length", whole);
        cut(BEFORE_RESET, None)
    } else if let Some((chunk, pause)) = faults.iter().find_map(drip) {
        response.headers_mut().insert("content-length", whole);
        let drops: Vec<Vec<u8>> = bytes.chunks(chunk.max(1)).map(<[u8]>::to_vec).collect();
        Body::from_stream(stream::iter(drops).then(move |drop| async move {
            tokio::time::sleep(pause).await;
            Ok::<_, io::Error>(drop)
        }))
    } else {
        Body::from(bytes)
    };
}

fn drip(fault: &Fault) -> Option<(usize, Duration)> {
    if let Fault::Drip { chunk, pause } = fault { Some((*chunk, *pause)) } else { None }
}
