//! Where the time of an operation went.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The moments of one attempt, as far as they are known. Those of a pod come from the clocks of its cluster, so two
/// neighbours may be in the wrong order by the difference of the clocks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Ledger {
    /// The pod, if the attempt is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<String>,
    /// The pod's node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Its inputs existed, and the attempt was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<Timestamp>,
    /// The API server had the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub posted_at: Option<Timestamp>,
    /// The pod had a node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduled_at: Option<Timestamp>,
    /// The images were on the node: the pod's first container started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulled_at: Option<Timestamp>,
    /// The operation's container started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_at: Option<Timestamp>,
    /// The pool heard of the program for the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spoke_at: Option<Timestamp>,
    /// The program ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exited_at: Option<Timestamp>,
    /// The pool had the outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<Timestamp>,
    /// The server had made the outcome durable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub committed_at: Option<Timestamp>,
}

/// The parts of an attempt's time, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shares {
    /// From due to the handing over to the cluster, and from the program's end to the durable outcome.
    pub pop: f64,
    /// From the handing over to the first word of the program: node, images, containers.
    pub cluster: f64,
    /// The program itself.
    pub program: f64,
}

impl Ledger {
    /// Takes over the moments that the other ledger knows.
    pub fn update(&mut self, other: Self) {
        macro_rules! take {
            ($($field:ident),*) => { $( if other.$field.is_some() { self.$field = other.$field; } )* };
        }
        take!(pod, node, ready_at, posted_at, scheduled_at, pulled_at, container_at, spoke_at, exited_at);
        take!(reported_at, committed_at);
    }

    /// The parts of the time; none unless the attempt has ended and its moments are known.
    pub fn shares(&self) -> Option<Shares> {
        let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs_f64().max(0.0);
        let (ready, exited) = (self.ready_at?, self.exited_at?);
        let spoke = self.spoke_at?;
        let posted = self.posted_at.unwrap_or(spoke);
        let done = self.committed_at.or(self.reported_at).unwrap_or(exited);
        Some(Shares {
            pop: seconds(ready, posted) + seconds(exited, done),
            cluster: seconds(posted, spoke),
            program: seconds(spoke, exited),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_parts_add_up_to_the_whole() {
        let mut ledger = Ledger {
            ready_at: Some(at(0)),
            posted_at: Some(at(1)),
            spoke_at: Some(at(4)),
            ..Ledger::default()
        };
        assert_eq!(ledger.shares(), None);
        ledger.update(Ledger { exited_at: Some(at(14)), committed_at: Some(at(15)), ..Ledger::default() });
        let Shares { pop, cluster, program } = ledger.shares().unwrap();
        assert_eq!((pop, cluster, program), (2.0, 3.0, 10.0));
        assert_eq!(ledger.posted_at, Some(at(1)), "what the other one does not know stays");
    }

    #[test]
    fn clocks_that_differ_give_no_negative_part() {
        let ledger = Ledger {
            ready_at: Some(at(5)),
            posted_at: Some(at(4)),
            spoke_at: Some(at(6)),
            exited_at: Some(at(5)),
            ..Ledger::default()
        };
        assert_eq!(ledger.shares().unwrap(), Shares { pop: 0.0, cluster: 2.0, program: 0.0 });
    }
}
