//! What a person sees of a run in a terminal: a live tree, or one line for each transition when there is no terminal.
//! The picture is a pure function of the board; only [`live`] writes to the terminal.

mod board;
mod frame;
mod lines;
pub mod live;
pub mod safe;

pub use self::board::Board;
pub use self::frame::frame;
pub use self::lines::{added_line, again_line, line};
