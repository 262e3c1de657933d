//! Where shims report: HTTPS on an address that pods reach. A request counts for the pod that its token proves.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use axum::serve::Listener;
use axum::{Extension, Json, Router};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::pods::{Event, NoAttempt, Pods};
use super::tokens::{Refused, Tokens};
use crate::http::problem::{Error, Kind};
use crate::http::{no_method, no_route};
use crate::runtime::shim::wire::{Assignment, Batch, Outcome, PATH, Receipt};

/// Longest time until the answer to an outcome; the shim then sends the outcome again.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest time of a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Largest size of a batch of signals in bytes.
const SIGNALS: usize = 8 << 20;

/// What the routes share.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub(super) pods: Arc<Pods>,
    pub(super) tokens: Arc<Tokens>,
    /// Largest output in bytes.
    pub(super) output_limit: u64,
}

/// The UID of the pod that sent a request.
#[derive(Clone, Debug)]
struct Sender(String);

impl Endpoint {
    /// Serves for ever.
    pub(super) async fn serve(self, listener: TcpListener, tls: Arc<ServerConfig>) {
        // An output is longer as the JSON of an outcome.
        let outcomes = usize::try_from(self.output_limit).unwrap_or(usize::MAX).saturating_add(1 << 20);
        let router = Router::new()
            .route(&format!("{PATH}/assignment"), get(assignment))
            .route(&format!("{PATH}/signals"), post(signals).layer(DefaultBodyLimit::max(SIGNALS)))
            .route(&format!("{PATH}/outcome"), put(outcome).layer(DefaultBodyLimit::max(outcomes)))
            .layer(from_fn_with_state(self.clone(), identify))
            .fallback(no_route)
            .method_not_allowed_fallback(no_method)
            .with_state(self);
        if let Err(error) = axum::serve(Handshakes::new(listener, tls), router).await {
            tracing::warn!(%error, "the server for reports of pods stopped");
        }
    }

    fn tell(&self, sender: &Sender, event: Event) -> Result<(), Error> {
        self.pods.tell(&sender.0, event).map_err(|why| match why {
            NoAttempt::Fenced => Error::new(Kind::Gone, "the attempt of this pod is over"),
            NoAttempt::Unknown => unknown(),
        })
    }
}

fn unknown() -> Error {
    Error::new(Kind::Unavailable, "no attempt follows this pod yet. Send the request again")
}

async fn identify(State(endpoint): State<Endpoint>, mut request: Request, next: Next) -> Response {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default().trim().to_owned();
    match endpoint.tokens.pod(&token).await {
        Ok(uid) => {
            request.extensions_mut().insert(Sender(uid));
            next.run(request).await
        }
        Err(Refused::Invalid(why)) => {
            let text = format!("invalid token: {why}. Send the pod's projected token for the audience `pop`");
            Error::new(Kind::Unauthorized, text).into_response()
        }
        Err(Refused::Later(why)) => Error::new(Kind::Unavailable, why).into_response(),
    }
}

async fn assignment(
    State(endpoint): State<Endpoint>,
    Extension(sender): Extension<Sender>,
) -> Result<Json<Assignment>, Error> {
    let (reply, answer) = oneshot::channel();
    endpoint.tell(&sender, Event::Assignment(reply))?;
    let assignment = answer.await.map_err(|_| unknown())?;
    Ok(Json(Arc::unwrap_or_clone(assignment)))
}

async fn signals(
    State(endpoint): State<Endpoint>,
    Extension(sender): Extension<Sender>,
    Json(batch): Json<Batch>,
) -> Result<StatusCode, Error> {
    let (reply, answer) = oneshot::channel();
    endpoint.tell(&sender, Event::Signals(batch, reply))?;
    answer.await.map_err(|_| unknown())?;
    Ok(StatusCode::NO_CONTENT)
}

async fn outcome(
    State(endpoint): State<Endpoint>,
    Extension(sender): Extension<Sender>,
    body: Bytes,
) -> Result<Json<Receipt>, Error> {
    let outcome: Outcome = serde_json::from_slice(&body)
        .map_err(|error| Error::new(Kind::InvalidBody, format!("invalid outcome: {error}")))?;
    let (reply, answer) = oneshot::channel();
    endpoint.tell(&sender, Event::Outcome(outcome, reply))?;
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(receipt)) => Ok(Json(receipt)),
        Ok(Err(_)) => Err(unknown()),
        Err(_) => Ok(Json(Receipt { durable: false })),
    }
}

/// Connections after their handshake. A slow handshake does not hold others back.
#[derive(Debug)]
struct Handshakes {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: io::Result<SocketAddr>,
}

impl Handshakes {
    fn new(listener: TcpListener, tls: Arc<ServerConfig>) -> Self {
        let (sender, ready) = mpsc::channel(64);
        let address = listener.local_addr();
        tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(tls);
            loop {
                let Ok((stream, from)) = listener.accept().await else {
                    // Too many open files, for example.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                };
                let _ = stream.set_nodelay(true);
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                tokio::spawn(async move {
                    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                        let _ = sender.send((stream, from)).await;
                    }
                });
            }
        });
        Self { ready, address }
    }
}

impl Listener for Handshakes {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.address {
            Ok(address) => Ok(*address),
            Err(error) => Err(io::Error::other(error.to_string())),
        }
    }
}
