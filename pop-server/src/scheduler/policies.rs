//! The policies that insights may name.

mod fifo;
mod round_robin;

use super::Registration;

/// All of them. The first is taken where a stored name is unknown.
pub const POLICIES: &[Registration] = &[round_robin::REGISTRATION, fifo::REGISTRATION];
