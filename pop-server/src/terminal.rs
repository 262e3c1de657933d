//! What a person sees of a run in a terminal: a live tree, or one line for each transition when there is no terminal.
//! The picture is a pure function of the overview; only [`live`] writes to the terminal.

mod frame;
mod lines;
pub mod live;
mod overview;
pub mod safe;

pub use self::frame::frame;
pub use self::lines::{added_line, line, rerun_line};
pub use self::overview::Overview;
