//! Handlers with one bad behaviour each.

use std::io::Read as _;
use std::net::TcpStream;
use std::process::ExitCode;

use pop_sdk::handler::{Context, HandlerError, Handlers};
use pop_sdk::operation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Measures a text.
#[operation("t.measure", output = Measured)]
#[derive(Deserialize, JsonSchema)]
struct Measure {
    text: String,
}

#[derive(Serialize, JsonSchema)]
struct Measured {
    bytes: usize,
    sum: u64,
}

async fn measure(_: Context, input: Measure) -> Result<Measured, HandlerError> {
    let sum = input.text.bytes().map(u64::from).sum();
    Ok(Measured { bytes: input.text.len(), sum })
}

/// Returns a text of some size.
#[operation("t.repeat", output = Repeated)]
#[derive(Deserialize, JsonSchema)]
struct Repeat {
    text: String,
    times: usize,
}

#[derive(Serialize, JsonSchema)]
struct Repeated {
    text: String,
}

async fn repeat(_: Context, input: Repeat) -> Result<Repeated, HandlerError> {
    Ok(Repeated { text: input.text.repeat(input.times) })
}

/// Waits until the gate's listener closes.
fn wait_for(gate: &str) {
    if let Ok(mut stream) = TcpStream::connect(gate) {
        let _ = stream.read(&mut [0]);
    }
}

/// Reports its progress as fast as it can, and waits half way for the test.
#[operation("t.chatter", output = ())]
#[derive(Deserialize, JsonSchema)]
struct Chatter {
    times: u32,
    gate: String,
}

async fn chatter(ctx: Context, input: Chatter) -> Result<(), HandlerError> {
    for i in 1..=input.times {
        ctx.progress(f64::from(i) * 99.0 / f64::from(input.times), format!("step {i}"));
        if i == input.times / 2 {
            wait_for(&input.gate);
        }
    }
    Ok(())
}

/// Works until it is stopped; saves how far it came.
#[operation("t.patient", output = Came)]
#[derive(Deserialize, JsonSchema)]
struct Patient {
    /// The first attempt that succeeds.
    enough: u32,
    gate: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Came {
    far: u32,
}

async fn patient(ctx: Context, input: Patient) -> Result<Came, HandlerError> {
    let Came { far } = ctx.last_checkpoint().unwrap_or(Came { far: 0 });
    if ctx.attempt() >= input.enough {
        return Ok(Came { far });
    }
    ctx.progress(10, "working");
    ctx.cancelled().await;
    // Saving takes as long as it takes.
    eprintln!("saving");
    wait_for(&input.gate);
    ctx.checkpoint(&Came { far: far + 1 })?;
    Err(HandlerError::cancelled())
}

/// Never checks for a stop.
#[operation("t.deaf", output = ())]
#[derive(Deserialize, JsonSchema)]
struct Deaf {}

async fn deaf(ctx: Context, _: Deaf) -> Result<(), HandlerError> {
    ctx.progress(1, "ready");
    std::future::pending().await
}

/// Ends in one of the ways in which programs end.
#[operation("t.end", output = ())]
#[derive(Deserialize, JsonSchema)]
struct End {
    how: How,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum How {
    Error,
    Fatal,
    Config,
    Resource,
    Panic,
    Exit,
    Exit3,
    Abort,
    Io,
}

async fn end(_: Context, input: End) -> Result<(), HandlerError> {
    eprintln!("about to end");
    match input.how {
        How::Error => Err(HandlerError::error("once more, please").code("Hiccup")),
        How::Fatal => Err(HandlerError::fatal("never again")),
        How::Config => Err(HandlerError::config("no key in KEY")),
        How::Resource => Err(HandlerError::resource("no room")),
        How::Panic => panic!("the sky fell on {}", "Tuesday"),
        How::Exit => std::process::exit(0),
        How::Exit3 => std::process::exit(3),
        How::Abort => std::process::abort(),
        How::Io => {
            std::fs::read("/does/not/exist")?;
            Ok(())
        }
    }
}

/// Fails once, and continues from its last progress.
#[operation("t.resume", output = Came)]
#[derive(Deserialize, JsonSchema)]
struct Resume {
    /// Whether the first attempt fails for good.
    fatal: bool,
}

async fn resume(ctx: Context, input: Resume) -> Result<Came, HandlerError> {
    if let Some(Came { far }) = ctx.last_checkpoint() {
        return Ok(Came { far: far + 1 });
    }
    ctx.checkpoint(&Came { far: 41 })?;
    Err(if input.fatal { HandlerError::fatal("no more") } else { HandlerError::error("once more") })
}

/// Returns the identifiers of its attempt.
#[operation("t.who", output = Who)]
#[derive(Deserialize, JsonSchema)]
struct Ask {}

#[derive(Serialize, JsonSchema)]
struct Who {
    agenda: Option<String>,
    operation: String,
    id: Option<String>,
    customer: Option<String>,
    cid: Option<String>,
    attempt: u32,
}

async fn who(ctx: Context, _: Ask) -> Result<Who, HandlerError> {
    let text = |t: Option<&str>| t.map(str::to_owned);
    Ok(Who {
        agenda: text(ctx.agenda()),
        operation: ctx.operation().to_owned(),
        id: text(ctx.operation_id()),
        customer: text(ctx.customer()),
        cid: text(ctx.cid()),
        attempt: ctx.attempt(),
    })
}

fn main() -> ExitCode {
    Handlers::new()
        .operation(measure)
        .operation(repeat)
        .operation(chatter)
        .operation(patient)
        .operation(deaf)
        .operation(end)
        .operation(resume)
        .operation(who)
        .run()
}
