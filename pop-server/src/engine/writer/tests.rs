//! The thread under faults: panics, failed commits, clocks that jump.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;

use crate::core::Settings;
use crate::core::access::Actor;
use crate::core::command::{Command, Pull, Reply};
use crate::engine::{self, EngineError, Running};
use crate::env::{Env, ManualClock, SeededRandom};
use crate::ids::{AgendaId, InsightId, PoolId};
use crate::store::Store as _;
use crate::store::faulty::{Fault, Faulty};
use crate::store::sqlite::SqliteStore;

struct Server {
    engine: Running,
    store: Arc<Faulty<SqliteStore>>,
    clock: Arc<ManualClock>,
}

async fn server() -> Server {
    let store = Arc::new(Faulty::new(SqliteStore::in_memory().unwrap()));
    let clock = Arc::new(ManualClock::new(Timestamp::from_second(1_800_000_000).unwrap()));
    let env = Env { clock: clock.clone(), random: Arc::new(SeededRandom::new(1)) };
    let (engine, _) = engine::start(Settings::default(), store.clone(), &env).await.unwrap();
    Server { engine, store, clock }
}

impl Server {
    async fn call(&self, command: Command) -> Result<Reply, EngineError> {
        self.engine.writer.call(Actor::Operator, command).await
    }

    async fn submit(&self, id: &str) {
        let agenda = crate::core::fixture::agenda(&["a"]);
        let submit = crate::core::fixture::submit(&AgendaId::from(id), "default", &agenda, None);
        assert!(matches!(self.call(Command::Submit(Box::new(submit))).await, Ok(Reply::Submitted(_))));
    }

    /// The ids and epochs of the agendas that a pull returns.
    async fn pull(&self, request: &str) -> Vec<(String, u64)> {
        let pull = Pull {
            pool: PoolId::from("default"),
            worker: "w".into(),
            instance: "1".into(),
            insight: None,
            count: 9,
            request: request.into(),
            woken: false,
        };
        let Ok(Reply::Granted(granted)) = self.call(Command::Pull(pull)).await else { panic!() };
        granted.into_iter().map(|g| (g.id.to_string(), g.epoch)).collect()
    }

    /// Lets time pass in steps short enough for the server to notice each one.
    async fn pass(&self, seconds: u64) {
        for _ in 0..seconds {
            self.clock.advance(Duration::from_secs(1));
            self.call(Command::Cancel { agenda: AgendaId::from("nobody") }).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_set_and_a_server_that_stood_still_lose_no_lease() {
    let server = server().await;
    server.submit("ag_1").await;
    assert_eq!(server.pull("r1").await, [("ag_1".into(), 1)]);
    server.clock.step(60);
    assert!(server.pull("r2").await.is_empty(), "60 seconds ahead");
    server.clock.step(-7200);
    assert!(server.pull("r3").await.is_empty(), "and two hours back");
    server.clock.advance(Duration::from_mins(5));
    assert!(server.pull("r4").await.is_empty(), "stopped for five minutes");
    server.pass(30).await;
    assert_eq!(server.pull("r5").await, [("ag_1".into(), 2)], "time that passes ends it");
}

#[tokio::test]
async fn a_panic_at_a_tick_is_survived() {
    let server = server().await;
    server.submit("ag_1").await;
    server.pull("r1").await;
    server.call(Command::PanicAtTick).await.unwrap();
    for _ in 0..40 {
        server.clock.advance(Duration::from_secs(1));
        let _ = server.call(Command::Cancel { agenda: AgendaId::from("nobody") }).await;
    }
    // After the reload, each lease lasts its whole length.
    server.pass(31).await;
    assert_eq!(server.pull("r2").await, [("ag_1".into(), 2)]);
    assert_eq!(server.engine.health.trouble(), None);
}

#[tokio::test]
async fn a_panic_in_a_commit_is_survived_and_wakes_all_who_wait() {
    let server = server().await;
    let mut poll = server.engine.wakeups.poll(&PoolId::from("default"), Some(&InsightId::from("other")));
    poll.wait();
    let mut watch = server.engine.wakeups.watch_agenda(&AgendaId::from("ag_1"));
    server.store.set(Fault::PanicInCommit);
    let refused =
        server.call(Command::PutPool(crate::core::record::Pool { id: "p".into(), title: None })).await;
    assert_eq!(refused, Err(EngineError::Unavailable));
    server.store.set(Fault::None);
    server.submit("ag_1").await;
    assert!(poll.woken().now_or_never().is_some());
    assert!(watch.changed().now_or_never().is_some());
}

#[tokio::test]
async fn trouble_with_the_store_is_told_and_passes() {
    let server = server().await;
    server.store.set(Fault::Error);
    let refused =
        server.call(Command::PutPool(crate::core::record::Pool { id: "p".into(), title: None })).await;
    assert_eq!(refused, Err(EngineError::Unavailable));
    let why = server.engine.health.trouble().unwrap();
    assert!(why.contains("a fault was injected"), "{why}");
    server.store.set(Fault::None);
    // The server may not have loaded its state yet.
    while server.engine.health.trouble().is_some() {
        let _ = server.call(Command::DeletePool(PoolId::from("q"))).await;
    }
    server.submit("ag_1").await;
}

#[tokio::test]
async fn a_load_that_panics_ends_the_server() {
    let server = server().await;
    server.store.set(Fault::PanicInLoad);
    assert_eq!(server.call(Command::Panic).await, Err(EngineError::Broken));
    let why = server.engine.health.failed().await;
    assert_eq!(server.engine.health.trouble(), Some(why));
    assert_eq!(server.call(Command::Tick).await, Err(EngineError::Stopped));
}

#[tokio::test]
async fn a_server_that_lost_the_right_to_write_ends() {
    let server = server().await;
    server.submit("ag_1").await;
    let newer = server.store.claim().unwrap();
    assert_eq!(server.call(Command::DeletePool(PoolId::from("q"))).await, Err(EngineError::Unavailable));
    let why = server.engine.health.failed().await;
    assert!(why.contains("claim 2 came after this server's claim 1"), "{why}");
    server.store.commit(&newer, &[]).unwrap();
}
