//! A person's view of a run: a live tree in a terminal, or one line for each transition elsewhere. The picture is a
//! pure function of the overview; only [`live`] writes to the terminal.

mod frame;
mod lines;
pub mod live;
mod overview;
pub mod safe;

pub use self::frame::frame;
pub use self::lines::{added_line, line, rerun_line};
pub use self::overview::Overview;
