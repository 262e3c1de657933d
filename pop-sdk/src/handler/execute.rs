//! From the environment and the arguments to an exit code.

use std::ffi::{OsStr, OsString};
use std::future::{Future, poll_fn};
use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use serde::Serialize;
use tokio::runtime::{Builder, Runtime};

use super::contract::{self, Contract, Input, Request};
use super::progress::{Sink, replace};
use super::report::Desk;
use super::{Context, Handler, HandlerError, Work, context, describe};
use crate::api::FailureClass;

const DONE: u8 = 0;
const FAILED: u8 = 1;
const WRONG_CALL: u8 = 2;
const PANICKED: u8 = 101;
/// 128 and the number of SIGTERM, as shells have it.
const STOPPED: u8 = 143;

/// Answers the request of the arguments and the environment; a handler runs on a runtime of its own.
pub(super) fn execute(
    handlers: &[Handler],
    own: &OsStr,
    arguments: &[OsString],
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> u8 {
    let mut attempt = match prepare(handlers, own, arguments, variables) {
        Ok(attempt) => attempt,
        Err(code) => return code,
    };
    let result = catch_unwind(AssertUnwindSafe(|| {
        let runtime = runtime()?;
        let work = attempt.start()?;
        let result = runtime.block_on(supervise(attempt.context.clone(), work));
        // What the handler left running does not hold the result up.
        runtime.shutdown_background();
        result
    }));
    attempt.finish(result)
}

/// As [`execute`], on the runtime of the caller.
pub(super) async fn execute_async(
    handlers: &[Handler],
    own: &OsStr,
    arguments: &[OsString],
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> u8 {
    let mut attempt = match prepare(handlers, own, arguments, variables) {
        Ok(attempt) => attempt,
        Err(code) => return code,
    };
    let result = {
        let mut running = pin!(async { supervise(attempt.context.clone(), attempt.start()?).await });
        // A panic of the handler comes out of the poll.
        let poll = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        });
        poll.await
    };
    attempt.finish(result)
}

/// One attempt of an operation, before its handler starts.
struct Attempt<'h> {
    handler: &'h Handler,
    input: Vec<u8>,
    context: Context,
    way: Way,
    failure_file: FailureFile,
    panics: Panics,
}

/// Reads what is asked for. What needs no handler is done at once; the exit code then comes back as the error.
fn prepare<'h>(
    handlers: &'h [Handler],
    own: &OsStr,
    arguments: &[OsString],
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Attempt<'h>, u8> {
    let program = Path::new(own).file_name().unwrap_or(own).to_string_lossy().into_owned();
    let mut contract = Contract::read(variables);
    let failure_file = FailureFile(Way::new(contract.failure_file.take(), contract.desk.as_ref()));
    let known: Vec<&str> = handlers.iter().map(|h| h.known.name()).collect();
    let request = contract::request(arguments, &known).and_then(|request| match request {
        Request::Run { kind, input } => {
            let index = contract::choose(kind.as_deref(), contract.job.kind.as_deref(), &known)?;
            Ok(Err((&handlers[index], input)))
        }
        other => Ok(Ok(other)),
    });
    match request {
        Ok(Ok(Request::Describe { program: given })) => {
            let types: Vec<_> = handlers.iter().map(|h| &h.known).collect();
            print!("{}", describe::catalog(&types, given.as_deref().unwrap_or(&program)));
            Err(DONE)
        }
        Ok(Ok(_)) => {
            print!("{}", help(handlers, &program));
            Err(DONE)
        }
        Ok(Err((handler, input))) => Attempt::new(handler, input, contract, failure_file, &program),
        Err(message) => {
            failure_file.fail(&HandlerError::config(message).code("WrongCall"));
            Err(WRONG_CALL)
        }
    }
}

impl<'h> Attempt<'h> {
    fn new(
        handler: &'h Handler,
        input: Option<Input>,
        contract: Contract,
        failure_file: FailureFile,
        program: &str,
    ) -> Result<Self, u8> {
        let input = match read_input(input, &contract, handler, program) {
            Ok(input) => input,
            Err(error) => {
                failure_file.fail(&error);
                return Err(if error.code == "WrongCall" { WRONG_CALL } else { FAILED });
            }
        };
        let way = Way::new(contract.output_file, contract.desk.as_ref());
        let sink = match Way::new(contract.progress_file, contract.desk.as_ref()) {
            Way::File(path) => Sink::File(path),
            Way::Desk(desk) => Sink::Desk(desk),
            Way::None if matches!(way, Way::None) => Sink::Terminal,
            Way::None => Sink::Nobody,
        };
        let last = contract.last_progress_file.and_then(|path| std::fs::read_to_string(path).ok());
        let context = Context::new(contract.job, sink, context::read_last(last.or(contract.last_progress)));
        // Should the process end in a way that nobody sees, this is what remains.
        failure_file.write(&FailureRecord {
            provisional: true,
            ..FailureRecord::of(
                &HandlerError::error("the handler's process ended without a result").code("OutputMissing"),
            )
        });
        let panics = Panics::watch(&failure_file);
        Ok(Self { handler, input, context, way, failure_file, panics })
    }

    /// Calls the handler; its work is still to be awaited.
    fn start(&mut self) -> Result<Work, HandlerError> {
        (self.handler.start)(self.context.clone(), &std::mem::take(&mut self.input))
    }

    /// Hands the result over and gives the exit code.
    fn finish(self, result: std::thread::Result<Result<Vec<u8>, HandlerError>>) -> u8 {
        let Self { context, way, failure_file, panics, .. } = self;
        context.flush();
        let error = match result {
            Ok(Ok(output)) => match put(&way, &output) {
                Ok(()) => {
                    failure_file.clear();
                    return DONE;
                }
                Err(e) => HandlerError::infra(e).context("could not write the output"),
            },
            Ok(Err(error)) => error,
            Err(_) => {
                failure_file.fail(&panics.last());
                return PANICKED;
            }
        };
        failure_file.fail(&error);
        if context.was_stopped() { STOPPED } else { FAILED }
    }
}

fn runtime() -> Result<Runtime, HandlerError> {
    // The handler has the main thread; these are for progress, signals and what it spawns.
    let built = Builder::new_multi_thread().worker_threads(2).thread_name("handler").enable_all().build();
    built.map_err(|e| HandlerError::infra(e).context("could not start the runtime"))
}

/// Runs the handler, with progress and signals beside it.
async fn supervise(
    context: Context,
    work: impl Future<Output = Result<Vec<u8>, HandlerError>>,
) -> Result<Vec<u8>, HandlerError> {
    let signals = Signals::listen()?;
    tokio::spawn(context.clone().keep_flushing());
    tokio::spawn(signals.stop(context.clone()));
    tokio::select! {
        result = work => result,
        () = context.to_be_dropped() => Err(HandlerError::cancelled()),
    }
}

/// The signals that mean "stop".
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> Result<Self, HandlerError> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let terminate = signal(SignalKind::terminate())
                .map_err(|e| HandlerError::infra(e).context("could not listen for signals"))?;
            Ok(Self { terminate })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Passes the first one on; the second ends the process.
    async fn stop(mut self, context: Context) {
        self.next().await;
        context.stop();
        self.next().await;
        std::process::exit(i32::from(STOPPED));
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}

fn read_input(
    named: Option<Input>,
    contract: &Contract,
    handler: &Handler,
    program: &str,
) -> Result<Vec<u8>, HandlerError> {
    let file = |path: &Path| {
        std::fs::read(path)
            .map_err(|e| HandlerError::infra(e).context(format!("could not read {}", path.display())))
    };
    match (named, &contract.payload, &contract.payload_file) {
        (Some(Input::Stdin), ..) => {
            let mut input = Vec::new();
            std::io::stdin()
                .read_to_end(&mut input)
                .map_err(|e| HandlerError::infra(e).context("could not read standard input"))?;
            Ok(input)
        }
        (Some(Input::File(path)), ..) => file(&path).map_err(|e| HandlerError {
            class: FailureClass::Config,
            code: "WrongCall".into(),
            ..e
        }),
        (None, Some(payload), _) => Ok(payload.clone().into_bytes()),
        (None, None, Some(path)) => file(path),
        (None, None, None) => {
            let kind = handler.known.name();
            let message = format!(
                "missing input: a pool sets PAYLOAD or POP_PAYLOAD_FILE. By hand, run `{program} {kind} input.json`, or use `-` for standard input"
            );
            Err(HandlerError::config(message).code("WrongCall"))
        }
    }
}

/// Hands the output over.
fn put(way: &Way, output: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    match way {
        Way::File(path) => return replace(path, output),
        Way::Desk(desk) => return desk.say("output", output),
        Way::None => {}
    }
    let mut out = std::io::stdout().lock();
    out.write_all(output)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// How a word gets to the pool: by a file where the pool has one for it, which costs nothing.
#[derive(Clone, Debug)]
enum Way {
    File(PathBuf),
    Desk(Desk),
    /// There is no pool: a person started it.
    None,
}

impl Way {
    fn new(file: Option<PathBuf>, desk: Option<&Desk>) -> Self {
        match (file, desk) {
            (Some(path), _) => Self::File(path),
            (None, Some(desk)) => Self::Desk(desk.clone()),
            (None, None) => Self::None,
        }
    }
}

/// Where the reason of a failure goes: to the pool, and to standard error for people.
#[derive(Clone, Debug)]
struct FailureFile(Way);

#[derive(Serialize)]
struct FailureRecord<'e> {
    class: FailureClass,
    code: &'e str,
    message: &'e str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    provisional: bool,
}

impl<'e> FailureRecord<'e> {
    fn of(error: &'e HandlerError) -> Self {
        Self { class: error.class, code: &error.code, message: &error.message, provisional: false }
    }
}

impl FailureFile {
    fn write(&self, record: &FailureRecord<'_>) {
        let Ok(text) = serde_json::to_vec(record) else { return };
        let _ = match &self.0 {
            Way::File(path) => replace(path, &text),
            Way::Desk(desk) => desk.say("failure", &text),
            Way::None => Ok(()),
        };
    }

    fn fail(&self, error: &HandlerError) {
        eprintln!("failed: {error:?}");
        self.write(&FailureRecord::of(error));
    }

    fn clear(&self) {
        // Where there is no file to remove, the output counts for more.
        if let Way::File(path) = &self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Remembers what a panic of the handler said; where a panic ends the process, the failure file is written at once.
struct Panics(Arc<Mutex<Option<String>>>);

impl Panics {
    fn watch(failure_file: &FailureFile) -> Self {
        let last = Arc::new(Mutex::new(None));
        let (memory, failure_file, own) =
            (Arc::clone(&last), failure_file.clone(), std::thread::current().id());
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            before(info);
            let what = info.payload_as_str().unwrap_or("no message");
            let text = match info.location() {
                Some(place) => format!("the handler panicked at {place}: {what}"),
                None => format!("the handler panicked: {what}"),
            };
            if cfg!(panic = "abort") {
                failure_file.write(&FailureRecord::of(&panic_error(&text)));
            }
            // Panics of other threads come back to the handler as errors, if it cares for them.
            if std::thread::current().id() == own {
                *memory.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
            }
        }));
        Self(last)
    }

    fn last(&self) -> HandlerError {
        let text = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        panic_error(text.as_deref().unwrap_or("the handler panicked"))
    }
}

fn panic_error(text: &str) -> HandlerError {
    HandlerError::error(text).code("Panic")
}

fn help(handlers: &[Handler], program: &str) -> String {
    let mut out = format!(
        "Handlers of POP operations.\n\n\
         Usage:\n\
         \x20 {program} [TYPE]                 run as a pool's program, with the environment that the pool sets\n\
         \x20 {program} [TYPE] input.json      run by hand; `-` is standard input, the output goes to standard output\n\
         \x20 {program} --describe             print the operation types as a catalog (TOML)\n\
         \x20     --program NAME               with this program in their commands\n\n\
         Types:\n"
    );
    let width = handlers.iter().map(|h| h.known.name().len()).max().unwrap_or(0);
    for handler in handlers {
        let (name, about) = (handler.known.name(), handler.known.description().unwrap_or_default());
        out.push_str(format!("  {name:width$}  {about}").trim_end());
        out.push('\n');
    }
    out.push_str("\nExit codes: 0 output; 1 failure; 2 invalid usage; 101 panic; 143 stopped.\n");
    out
}
