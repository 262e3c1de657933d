//! A program of handlers with an async `main`: it runs them on the runtime that it has.

use std::process::ExitCode;

use pop_sdk::handler::{Context, HandlerError, Handlers};
use pop_sdk::operation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Halves an even number; panics at zero.
#[operation("t.halve", output = Half)]
#[derive(Deserialize, JsonSchema)]
struct Halve {
    number: u32,
}

#[derive(Serialize, JsonSchema)]
struct Half {
    half: u32,
}

async fn halve(ctx: Context, input: Halve) -> Result<Half, HandlerError> {
    ctx.check_cancelled()?;
    tokio::task::yield_now().await;
    assert_ne!(input.number, 0, "zero");
    if input.number % 2 == 1 {
        return Err(HandlerError::fatal("odd"));
    }
    Ok(Half { half: input.number / 2 })
}

#[tokio::main]
async fn main() -> ExitCode {
    Handlers::new().operation(halve).run_async().await
}
