//! The orders for a guard, line by line, and the guard's duty after them. No clock, no pipe, no processes.

use std::time::Duration;

/// The last order of a pool that ends regularly.
pub(super) const END: &str = "end\n";

/// The order that sets the fence, as time since boot, or removes it.
pub(super) fn fence(at: Option<Duration>) -> String {
    at.map_or_else(|| "none\n".to_owned(), |at| format!("fence {}\n", at.as_millis()))
}

/// The duty of a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    /// Listen, until this moment if one is given.
    Listen(Option<Duration>),
    /// Kill the programs, and go on listening.
    Kill,
    /// The pool is gone: kill its programs until none is left, then end.
    Finish,
    /// End, because the pool needs no guard any more.
    End,
}

/// The received orders.
#[derive(Debug, Default)]
pub(super) struct Orders {
    /// The start of an incomplete line.
    rest: Vec<u8>,
    fence: Option<Duration>,
    ended: bool,
    closed: bool,
}

impl Orders {
    /// Takes bytes of the pipe. A line without a meaning has no effect.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' {
                let line = std::mem::take(&mut self.rest);
                self.order(&String::from_utf8_lossy(&line));
            } else {
                self.rest.push(*byte);
            }
        }
    }

    fn order(&mut self, line: &str) {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("fence", millis) => {
                if let Ok(millis) = millis.parse() {
                    self.fence = Some(Duration::from_millis(millis));
                }
            }
            ("none", "") => self.fence = None,
            ("end", "") => self.ended = true,
            _ => {}
        }
    }

    /// Records that the pipe has no writer any more.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn duty(&self, now: Duration) -> Duty {
        match self.fence {
            _ if self.ended => Duty::End,
            _ if self.closed => Duty::Finish,
            Some(at) if at <= now => Duty::Kill,
            fence => Duty::Listen(fence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn told(text: &str) -> Orders {
        let mut orders = Orders::default();
        orders.take(text.as_bytes());
        orders
    }

    #[test]
    fn the_newest_fence_counts() {
        assert_eq!(told("").duty(seconds(9)), Duty::Listen(None));
        let mut orders = told(&(fence(Some(seconds(5))) + &fence(Some(seconds(7)))));
        assert_eq!(orders.duty(seconds(6)), Duty::Listen(Some(seconds(7))));
        assert_eq!(orders.duty(seconds(7)), Duty::Kill);
        orders.take(fence(Some(seconds(9))).as_bytes());
        assert_eq!(orders.duty(seconds(8)), Duty::Listen(Some(seconds(9))), "a later one arms it again");
        orders.take(fence(None).as_bytes());
        assert_eq!(orders.duty(seconds(99)), Duty::Listen(None));
    }

    #[test]
    fn a_pool_that_says_nothing_before_it_goes_is_dead() {
        let mut orders = told(&fence(Some(seconds(5))));
        orders.close();
        assert_eq!(orders.duty(seconds(1)), Duty::Finish);
        let mut orders = told(&(fence(Some(seconds(5))) + END));
        assert_eq!(orders.duty(seconds(6)), Duty::End, "not even after its fence");
        orders.close();
        assert_eq!(orders.duty(seconds(6)), Duty::End);
    }

    #[test]
    fn an_order_counts_when_its_line_is_whole() {
        let mut orders = told("fence 50");
        assert_eq!(orders.duty(seconds(99)), Duty::Listen(None));
        orders.take(b"00\nen");
        assert_eq!(orders.duty(seconds(1)), Duty::Listen(Some(seconds(5))));
        orders.close();
        assert_eq!(orders.duty(seconds(1)), Duty::Finish);
    }

    #[test]
    fn what_means_nothing_has_no_effect() {
        let orders =
            told("fence 5000\nfence\nfence -1\nfence x\nfence 1 2\n\n\u{0}\nend now\nnone of it\nENDE\n");
        assert_eq!(orders.duty(seconds(1)), Duty::Listen(Some(seconds(5))));
    }
}
