//! A pool agent: attaches to a server, pulls agendas as long as it has free slots, keeps their leases, sends what the
//! executor reports. It only dials out, and it keeps nothing that it could not get back from the server.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pop_sdk::api::{AttachRequest, LeaseId, PullRequest, RenewRequest};
use pop_sdk::client::{Client, Error};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::executor::{self, Command, Over};
use super::uplink::HttpUplink;
use crate::runtime::Runtime;

/// How long one pull waits for work.
const PULL_WAIT: Duration = Duration::from_secs(20);
/// The longest pause between tries while the server can't be reached.
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// How often leases are renewed, and with that how soon a cancel reaches a running agenda.
const RENEW: Duration = Duration::from_millis(500);

/// Settings of an agent.
#[derive(Clone, Debug)]
pub struct Config {
    /// The pool that it works for.
    pub pool: String,
    /// Its stable name; a second agent of the same name takes over from the first.
    pub worker: String,
    /// This start.
    pub instance: String,
    /// Only work of this insight.
    pub insight: Option<String>,
    /// How many agendas it runs at the same time.
    pub slots: u32,
    /// How the executor runs them.
    pub executor: executor::Config,
}

/// The leases that the agent holds: agenda → epoch, and the slot that it takes.
type Leases = Arc<Mutex<HashMap<String, (u64, tokio::sync::OwnedSemaphorePermit)>>>;

/// Works until `shutdown` is cancelled. Running programs are stopped then; the server hands their agendas out again.
pub async fn work(config: Config, client: Client, runtime: Arc<dyn Runtime>, shutdown: CancellationToken) {
    let Some(()) = attach(&config, &client, &shutdown).await else { return };
    let leases: Leases = Arc::default();
    let slots = Arc::new(Semaphore::new(config.slots as usize));
    let (commands, inbox) = mpsc::channel(64);
    let (over_in, over) = mpsc::unbounded_channel();
    let uplink = Arc::new(HttpUplink {
        client: client.clone(),
        pool: config.pool.clone(),
        worker: config.worker.clone(),
        shutdown: shutdown.clone(),
    });
    let executor = tokio::spawn(executor::drive(
        config.executor.clone(),
        runtime,
        uplink,
        inbox,
        over_in,
        shutdown.clone(),
    ));
    tokio::join!(
        pull(&config, &client, &slots, &leases, &commands, &shutdown),
        renew(&config, &client, &leases, &commands, &shutdown),
        release(&leases, over, &shutdown),
    );
    drop(commands);
    let _ = executor.await;
}

/// Tells the server that earlier instances are gone. None when shut down before the server answered.
async fn attach(config: &Config, client: &Client, shutdown: &CancellationToken) -> Option<()> {
    let request = AttachRequest { worker: config.worker.clone(), instance: config.instance.clone() };
    let response = retry(shutdown, "attach to the server", || client.attach(&config.pool, &request)).await?;
    if !response.returned.is_empty() {
        info!(agendas = response.returned.len(), "took over from an earlier start of this pool");
    }
    Some(())
}

async fn pull(
    config: &Config,
    client: &Client,
    slots: &Arc<Semaphore>,
    leases: &Leases,
    commands: &mpsc::Sender<Command>,
    shutdown: &CancellationToken,
) {
    let mut number: u64 = 0;
    loop {
        // One slot is waited for; whatever else is free by then goes into the same pull.
        let first = tokio::select! {
            permit = Arc::clone(slots).acquire_owned() => permit,
            () = shutdown.cancelled() => return,
        };
        let Ok(first) = first else { return };
        let mut permits = vec![first];
        while let Ok(more) = Arc::clone(slots).try_acquire_owned() {
            permits.push(more);
        }
        number += 1;
        let request = PullRequest {
            worker: config.worker.clone(),
            instance: config.instance.clone(),
            insight: config.insight.clone(),
            count: u32::try_from(permits.len()).unwrap_or(u32::MAX),
            wait_ms: u64::try_from(PULL_WAIT.as_millis()).unwrap_or(u64::MAX),
            request: format!("{}-{number}", config.instance),
        };
        let Some(response) = retry(shutdown, "pull work", || client.pull(&config.pool, &request)).await
        else {
            return;
        };
        for lease in response.leases {
            let Some(permit) = permits.pop() else { break };
            info!(agenda = %lease.id, epoch = lease.epoch, operations = lease.agenda.operations.len(), "pulled");
            leases
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(lease.id.clone(), (lease.epoch, permit));
            if commands.send(Command::Run(Box::new(lease))).await.is_err() {
                return;
            }
        }
    }
}

async fn renew(
    config: &Config,
    client: &Client,
    leases: &Leases,
    commands: &mpsc::Sender<Command>,
    shutdown: &CancellationToken,
) {
    let mut tick = tokio::time::interval(RENEW);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = shutdown.cancelled() => return,
        }
        let held: Vec<LeaseId> = leases
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(|(id, (epoch, _))| LeaseId { id: id.clone(), epoch: *epoch })
            .collect();
        if held.is_empty() {
            continue;
        }
        let request = RenewRequest { worker: config.worker.clone(), leases: held };
        match client.renew(&config.pool, &request).await {
            Ok(response) => {
                let cancel = response.cancel.into_iter().map(Command::Cancel);
                let lost = response.lost.into_iter().map(Command::Lost);
                for command in cancel.chain(lost) {
                    if commands.send(command).await.is_err() {
                        return;
                    }
                }
            }
            // The next round tries again; what runs goes on.
            Err(e) => warn!(error = %e, "could not renew leases"),
        }
    }
}

/// Frees the slots of agendas that are over.
async fn release(leases: &Leases, mut over: mpsc::UnboundedReceiver<Over>, shutdown: &CancellationToken) {
    loop {
        let agenda = tokio::select! {
            over = over.recv() => match over {
                Some(Over(agenda)) => agenda,
                None => return,
            },
            () = shutdown.cancelled() => return,
        };
        leases.lock().unwrap_or_else(PoisonError::into_inner).remove(&agenda);
    }
}

/// Calls until it works or `shutdown` is cancelled (then none), with a pause that doubles up to a limit.
pub(super) async fn retry<T, F, Fut>(shutdown: &CancellationToken, what: &str, mut call: F) -> Option<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, Error>>,
{
    let mut pause = Duration::from_millis(50);
    loop {
        let result = tokio::select! {
            result = call() => result,
            () = shutdown.cancelled() => return None,
        };
        match result {
            Ok(value) => return Some(value),
            Err(e) => warn!(error = %e, "could not {what}; trying again"),
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shutdown.cancelled() => return None,
        }
        pause = (pause * 2).min(MAX_PAUSE);
    }
}
