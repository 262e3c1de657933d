//! The policies that insights may name.

mod fifo;
mod round_robin;

use super::Registration;

/// All policies. The first one stands in for an unknown stored name.
pub const POLICIES: &[Registration] = &[round_robin::REGISTRATION, fifo::REGISTRATION];
