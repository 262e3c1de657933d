//! Accepts connections and serves them, with bounds: how many there are, and how long one may be idle or take to say what it
//! wants. Bodies have a bound of their own where they are read.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// How many connections are served at the same time; others wait until one ends.
const CONNECTIONS: usize = 4096;
/// After a failed accept (no file descriptors are left, for example) for so long none is tried.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` is cancelled and all requests have been answered. `idle` is how long a connection may take for the
/// head of its next request.
pub(super) async fn serve(listener: TcpListener, router: Router, idle: Duration, stop: CancellationToken) {
    let open = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = stop.cancelled() => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // Events are small and must not wait for the answer to the packet before them.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(idle)
            .serve_connection(TokioIo::new(stream), service);
        let connection = open.watch(connection);
        tokio::spawn(async move {
            // A client that goes in the middle is no news.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    open.shutdown().await;
}
