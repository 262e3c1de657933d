//! A TCP proxy as a network that can be cut, and that can drop connections silently.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The network's state: whether the network is cut, and how often connections were dropped.
type State = (bool, u64);

/// A network between a pool and its server.
pub(crate) struct Network {
    /// The server's address for the pool.
    pub(crate) address: String,
    state: Arc<watch::Sender<State>>,
}

impl Network {
    pub(crate) async fn start(server: &str) -> Self {
        let server = server.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let state = Arc::new(watch::Sender::new((false, 0)));
        let connections = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((pool, _)) = listener.accept().await {
                let (server, state) = (server.clone(), connections.subscribe());
                tokio::spawn(async move {
                    let Ok(server) = TcpStream::connect(server).await else { return };
                    let ((from_pool, to_pool), (from_server, to_server)) =
                        (pool.into_split(), server.into_split());
                    tokio::spawn(pump(from_pool, to_server, state.clone()));
                    pump(from_server, to_pool, state).await;
                });
            }
        });
        Self { address, state }
    }

    /// Cuts or restores the network. Data of a cut arrives later.
    pub(crate) fn cut(&self, cut: bool) {
        self.state.send_modify(|state| state.0 = cut);
    }

    /// Drops all present connections silently: they stay open, and carry no data any more.
    pub(crate) fn forget(&self) {
        self.state.send_modify(|state| state.1 += 1);
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<State>) {
    let born = state.borrow().1;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let Ok(n) = from.read(&mut buffer).await else { return };
        if state.wait_for(|(cut, forgotten)| !cut || *forgotten != born).await.is_err() {
            return;
        }
        if state.borrow().1 != born {
            // Open, and silent for good.
            std::future::pending::<()>().await;
            return;
        }
        if n == 0 || to.write_all(&buffer[..n]).await.is_err() {
            return;
        }
    }
}
