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
/// The status of a request whose body is too large.
pub(super) const TOO_LARGE: u16 = 413;

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
///
/// # Errors
///
/// The server has no work for such an agent, and says why: its pool does not exist, for example. What ran has ended then.
pub async fn work(
    config: Config,
    client: Client,
    runtime: Arc<dyn Runtime>,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let shutdown = shutdown.child_token();
    let Some(()) = attach(&config, &client, &shutdown).await? else { return Ok(()) };
    let leases: Leases = Arc::default();
    let slots = Arc::new(Semaphore::new(config.slots as usize));
    let (commands, inbox) = mpsc::channel(64);
    let (over_in, over) = mpsc::unbounded_channel();
    let uplink = Arc::new(HttpUplink {
        client: client.clone(),
        pool: config.pool.clone(),
        worker: config.worker.clone(),
        instance: config.instance.clone(),
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
    let pull = async {
        let ended = pull(&config, &client, &slots, &leases, &commands, &shutdown).await;
        if let Err(error) = &ended {
            warn!(%error, "the server has no more work for this pool; what runs is finished");
            tokio::select! {
                _ = slots.acquire_many(config.slots) => {}
                () = shutdown.cancelled() => {}
            }
        }
        shutdown.cancel();
        ended
    };
    let (ended, (), ()) = tokio::join!(
        pull,
        renew(&config, &client, &leases, &commands, &shutdown),
        release(&leases, over, &shutdown),
    );
    drop(commands);
    let _ = executor.await;
    ended
}

/// Tells the server that earlier instances are gone. None when shut down before the server answered.
async fn attach(config: &Config, client: &Client, shutdown: &CancellationToken) -> Result<Option<()>, Error> {
    let request = AttachRequest {
        worker: config.worker.clone(),
        instance: config.instance.clone(),
        holding: Vec::new(),
    };
    let response = retry(shutdown, "attach to the server", || client.attach(&config.pool, &request)).await?;
    Ok(response.map(|response| {
        if !response.returned.is_empty() {
            info!(agendas = response.returned.len(), "took over from an earlier start of this pool");
        }
    }))
}

async fn pull(
    config: &Config,
    client: &Client,
    slots: &Arc<Semaphore>,
    leases: &Leases,
    commands: &mpsc::Sender<Command>,
    shutdown: &CancellationToken,
) -> Result<(), Error> {
    let mut number: u64 = 0;
    loop {
        // One slot is waited for; whatever else is free by then goes into the same pull.
        let first = tokio::select! {
            permit = Arc::clone(slots).acquire_owned() => permit,
            () = shutdown.cancelled() => return Ok(()),
        };
        let Ok(first) = first else { return Ok(()) };
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
        let Some(response) = retry(shutdown, "pull work", || client.pull(&config.pool, &request)).await?
        else {
            return Ok(());
        };
        for lease in response.leases {
            let Some(permit) = permits.pop() else { break };
            info!(agenda = %lease.id, epoch = lease.epoch, operations = lease.agenda.operations.len(), "pulled");
            leases
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(lease.id.clone(), (lease.epoch, permit));
            if commands.send(Command::Run(Box::new(lease))).await.is_err() {
                return Ok(());
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
        let (worker, instance) = (config.worker.clone(), config.instance.clone());
        let request = RenewRequest { worker, instance, leases: held };
        match client.renew(&config.pool, &request).await {
            Ok(response) => {
                let cancel = response.cancel.into_iter().map(|lease| Command::Cancel(lease.id));
                let lost = response.lost.into_iter().map(|lease| Command::Lost(lease.id));
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

/// Calls until it works, the server refuses for good or `shutdown` is cancelled (then none), with a pause that doubles up to
/// a limit.
pub(super) async fn retry<T, F, Fut>(
    shutdown: &CancellationToken,
    what: &str,
    mut call: F,
) -> Result<Option<T>, Error>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, Error>>,
{
    let mut pause = Duration::from_millis(50);
    loop {
        let result = tokio::select! {
            result = call() => result,
            () = shutdown.cancelled() => return Ok(None),
        };
        match result {
            Ok(value) => return Ok(Some(value)),
            Err(e) if is_final(&e) => return Err(e),
            Err(e) => warn!(error = %e, "could not {what}; trying again"),
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shutdown.cancelled() => return Ok(None),
        }
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

/// Whether sending the same again would get the same answer. Only a server's own word counts, not that of something
/// between (a proxy whose server is away may say 404), but for the size: there a proxy's limit is as good as any.
fn is_final(error: &Error) -> bool {
    let Error::Problem(problem) = error else { return false };
    let refused = (400..500).contains(&problem.status) && !matches!(problem.status, 408 | 425 | 429);
    problem.status == TOO_LARGE || (refused && problem.kind.starts_with("/problems/"))
}

#[cfg(test)]
mod tests {
    use pop_sdk::api::Problem;

    use super::*;

    #[test]
    fn only_the_servers_own_word_is_final() {
        let of = |kind: &str, status| {
            Error::Problem(Box::new(Problem { kind: kind.into(), status, ..Problem::default() }))
        };
        for status in [400, 404, 413, 422] {
            assert!(is_final(&of("/problems/x", status)), "{status}");
        }
        for status in [408, 425, 429, 500, 503] {
            assert!(!is_final(&of("/problems/x", status)), "{status}");
        }
        assert!(!is_final(&of("", 404)), "a proxy's");
        assert!(is_final(&of("", 413)), "a proxy's limit");
    }
}
