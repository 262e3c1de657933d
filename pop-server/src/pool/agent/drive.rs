//! Makes the calls of the agent's state, on a thread of its own: leases are renewed in time even when the rest of the
//! process is busy.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::state::{Agent, Input, Output, Settings};
use crate::pool::executor::{self, Command, Finished};
use crate::pool::fence::{self, Fence};
use crate::pool::port::{PortError, ReportPort, ServerPort};
use crate::runtime::{Pending, Runtime};

/// Time limit of the first call.
const ATTACH_LIMIT: Duration = Duration::from_secs(10);

/// Settings of an agent.
#[derive(Clone, Debug)]
pub struct Config {
    /// The agent's instance.
    pub instance: String,
    /// The only insight to pull from; none means all insights of the pool.
    pub insight: Option<String>,
    /// Number of agendas that run at the same time.
    pub slots: u32,
    /// Time between the polite stop of a program and its kill.
    pub grace: Duration,
    /// Settings of the executor.
    pub executor: executor::Config,
}

/// Reasons for an agent's end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server refuses the agent, and gives the reason.
    #[error(transparent)]
    Refused(#[from] PortError),
    /// A part of the agent panicked. All programs are stopped, and the leases run out.
    #[error("the {0} of this pool panicked. Its programs are stopped; please report this fault of POP")]
    Panicked(&'static str),
    /// The operating system starts no thread for the agent.
    #[error("could not start the agent's thread")]
    Thread(#[source] std::io::Error),
}

/// Works until `shutdown` is cancelled; then the agent stops its programs and gives its leases back. After a cancel of
/// `now`, the agent kills its programs, and the leases run out.
///
/// # Errors
/// The server refuses the agent (its pool does not exist, or another instance has taken over), or a part of the agent
/// panicked. No program runs any more then.
pub async fn work(
    config: Config,
    server: Arc<dyn ServerPort>,
    reports: Arc<dyn ReportPort>,
    runtime: Arc<dyn Runtime>,
    shutdown: CancellationToken,
    now: CancellationToken,
) -> Result<(), Error> {
    let (commands, inbox) = mpsc::unbounded_channel();
    let (finished_in, finished) = mpsc::unbounded_channel();
    let (ended_in, ended) = oneshot::channel();
    let (abandon, fence) = (CancellationToken::new(), Arc::new(Fence::default()));
    let mut executor = tokio::spawn(executor::drive(
        config.executor.clone(),
        Arc::clone(&runtime),
        reports,
        Arc::clone(&fence),
        inbox,
        finished_in,
        abandon.clone(),
    ));
    let timers = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Thread)?;
    let driver = Driver {
        insight: config.insight.clone(),
        state: Agent::new(Settings {
            instance: config.instance,
            slots: config.slots as usize,
            grace: config.grace,
        }),
        server,
        runtime,
        fence,
        commands: commands.clone(),
    };
    std::thread::Builder::new()
        .name("pop-agent".to_owned())
        .spawn(move || {
            let ended = timers.block_on(driver.drive(finished, shutdown));
            // The receiver may have gone.
            let _ = ended_in.send(ended);
        })
        .map_err(Error::Thread)?;
    let result = tokio::select! {
        ended = ended => ended.unwrap_or(Err(Error::Panicked("agent"))),
        _ = &mut executor => return Err(Error::Panicked("executor")),
        () = now.cancelled() => Ok(()),
    };
    drop(commands);
    abandon.cancel();
    executor.await.map_err(|_| Error::Panicked("executor"))?;
    result
}

struct Driver {
    insight: Option<String>,
    state: Agent,
    server: Arc<dyn ServerPort>,
    runtime: Arc<dyn Runtime>,
    fence: Arc<Fence>,
    commands: mpsc::UnboundedSender<Command>,
}

/// The calls without an answer.
#[derive(Default)]
struct Calls {
    attach: Option<Pending<'static, Input>>,
    pull: Option<Pending<'static, Input>>,
    renew: Option<Pending<'static, Input>>,
    release: Option<Pending<'static, Input>>,
}

impl Calls {
    /// Waits for the next answer.
    async fn next(&mut self) -> Input {
        tokio::select! {
            biased;
            input = answer(&mut self.renew) => input,
            input = answer(&mut self.attach) => input,
            input = answer(&mut self.release) => input,
            input = answer(&mut self.pull) => input,
        }
    }
}

async fn answer(call: &mut Option<Pending<'static, Input>>) -> Input {
    match call {
        Some(pending) => {
            let input = pending.await;
            *call = None;
            input
        }
        None => std::future::pending().await,
    }
}

impl Driver {
    async fn drive(
        mut self,
        mut finished: mpsc::UnboundedReceiver<Finished>,
        shutdown: CancellationToken,
    ) -> Result<(), Error> {
        let mut calls = Calls::default();
        let mut stopping = false;
        let mut input = Input::Tick;
        loop {
            for output in self.state.on(fence::now(), input) {
                if let Output::End(result) = output {
                    return result.map_err(Error::Refused);
                }
                self.perform(output, &mut calls);
            }
            let wake = self.state.next_wake();
            input = tokio::select! {
                input = calls.next() => input,
                over = finished.recv() => match over {
                    Some(finished) => Input::Finished(finished),
                    None => return Err(Error::Panicked("executor")),
                },
                () = shutdown.cancelled(), if !stopping => {
                    stopping = true;
                    Input::Stop
                }
                () = at(wake) => Input::Tick,
            };
        }
    }

    fn perform(&mut self, output: Output, calls: &mut Calls) {
        let server = Arc::clone(&self.server);
        match output {
            Output::Attach => {
                calls.attach = Some(Box::pin(async move {
                    Input::Attached(within(ATTACH_LIMIT, server.attach(Vec::new())).await)
                }));
            }
            Output::Pull { count, wait, request, limit } => {
                let insight = self.insight.clone();
                calls.pull = Some(Box::pin(async move {
                    Input::Pulled(within(limit, server.pull(insight, count, wait, request)).await)
                }));
            }
            Output::DropPull => calls.pull = None,
            Output::Renew { leases, wait, limit } => {
                calls.renew =
                    Some(Box::pin(
                        async move { Input::Renewed(within(limit, server.renew(leases, wait)).await) },
                    ));
            }
            Output::Release { leases, leaving, limit } => {
                calls.release = Some(Box::pin(async move {
                    Input::Released(within(limit, server.release(leases, leaving)).await)
                }));
            }
            Output::Execute(command) => {
                if let Command::Run(lease) = &command {
                    let operations = lease.agenda.operations.len();
                    info!(agenda = %lease.id, epoch = lease.epoch, operations, "pulled");
                }
                // The end of the executor shows at its channel of finished leases.
                let _ = self.commands.send(command);
            }
            Output::FenceAt(moment) => {
                // A pool that is awake ends its programs itself and knows the reason, so the runtime's fence comes a
                // little later. The runtime gets its fence first: a start under the new fence must not meet the old
                // one.
                let last = moment.map(|at| at + self.state.margin() / 2);
                self.runtime.fence_in(last.map(|at| at.saturating_sub(fence::now())));
                self.fence.set(moment);
            }
            Output::Warn(text) => warn!("{text}"),
            Output::End(_) => {}
        }
    }
}

async fn within<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, PortError>>,
) -> Result<T, PortError> {
    // A panic in a port is a fault of POP; the running work goes on.
    let call = std::panic::AssertUnwindSafe(call).catch_unwind();
    match tokio::time::timeout(limit, call).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(PortError::Unreachable("the call panicked".to_owned())),
        Err(_) => Err(PortError::Unreachable(format!("no answer within {limit:?}"))),
    }
}

/// Sleeps until a moment, in steps of at most a second. While the machine sleeps, this clock goes on but the timer's
/// clock stands still.
async fn at(wake: Option<Duration>) {
    match wake {
        Some(at) => {
            let rest = at.saturating_sub(fence::now());
            tokio::time::sleep(rest.min(Duration::from_secs(1))).await;
        }
        None => std::future::pending().await,
    }
}
