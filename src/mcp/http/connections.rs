//! Connections: taken one by one, bounded, served, and at the end let finish.

use super::{HttpServer, Peer};
use axum::body::Body;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::{Service as _, service_fn};

// A connection may be idle between requests, and slow in saying what it wants, for so long.
const HEAD_TIME: Duration = Duration::from_mins(1);
const HEADERS: usize = 64;
const HEAD_BYTES: usize = 64 << 10;
// For calls at work when the server is told to stop, and for what is left open after them.
const FINISH: Duration = Duration::from_secs(10);
const LEAVE: Duration = Duration::from_secs(2);
// Out of descriptors, most likely: they come back.
const PAUSE: Duration = Duration::from_millis(50);

pub(super) async fn serve(server: HttpServer, listener: TcpListener, shutdown: CancellationToken) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(server.limits.connections));
    loop {
        let permit = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            permit = Arc::clone(&room).acquire_owned() => permit,
        };
        let Ok(permit) = permit else { break };
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => connection(&server, stream, Peer(peer), permit, &graceful),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(FINISH, server.guards.quiet()).await;
    server.sessions.closing.cancel();
    let _ = tokio::time::timeout(LEAVE, graceful.shutdown()).await;
}

fn connection(
    server: &HttpServer,
    stream: TcpStream,
    peer: Peer,
    permit: OwnedSemaphorePermit,
    graceful: &GracefulShutdown,
) {
    // Without it a small answer waits for the acknowledgement of the one before: 40 ms.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    // A client that does not read its answer is left.
    stream.set_write_timeout(Some(server.limits.write_time));
    let app = server.app.clone();
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(peer);
        app.clone().call(request.map(Body::new))
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_headers(HEADERS).max_buf_size(HEAD_BYTES);
    let connection = http.serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(service));
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        // How a connection ends is its client's affair.
        let _ = connection.await;
        drop(permit);
    });
}
