//! The scheduler by value: pools, insights, queues, and a policy that the server does not have.

#![expect(clippy::redundant_closure, reason = "a variant alone is not general enough over lifetimes")]

mod newest_first;

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

/// The server's policies and one more.
static WITH_A_SAMPLE: &[Registration] = &[POLICIES[0], POLICIES[1], newest_first::REGISTRATION];

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

struct World {
    scheduler: Scheduler,
    pool: PoolId,
    customer: CustomerId,
}

impl World {
    fn new() -> Self {
        let (pool, customer) = (PoolId::from("p"), CustomerId::from("c"));
        let mut scheduler = Scheduler::new(WITH_A_SAMPLE);
        scheduler.on(NOW, Event::Configured(Setting::Joined(&customer, &pool)));
        Self { scheduler, pool, customer }
    }

    fn configure(&mut self, insight: &str, algorithm: &str, queue_size: usize) -> Vec<Decision> {
        let insight = InsightId::from(insight);
        let setting = Setting::Insight { insight: &insight, pool: &self.pool, algorithm, queue_size };
        self.scheduler.on(NOW, Event::Configured(setting))
    }

    fn on(&mut self, no: u64, insight: &str, event: impl FnOnce(Entry<'_>) -> Event<'_>) -> Vec<Decision> {
        let (insight, customer) = (InsightId::from(insight), self.customer.clone());
        self.scheduler.on(NOW, event(Entry { agenda: AgendaNo(no), insight: &insight, customer: &customer }))
    }

    fn arrive(&mut self, insight: &str, numbers: impl IntoIterator<Item = u64>) {
        for no in numbers {
            self.on(no, insight, |entry| Event::Arrived(entry));
        }
    }

    /// The agendas that a pull hands to the pool.
    fn pull(&mut self, only: Option<&str>, count: usize) -> Vec<u64> {
        let only = only.map(InsightId::from);
        let decisions = self.scheduler.pull(NOW, &self.pool, only.as_ref(), count);
        decisions.iter().filter(|d| d.to == Destination::Pool).map(|d| d.agenda.0).collect()
    }

    fn queued(&self, insight: &str) -> Vec<u64> {
        self.scheduler.queued(&InsightId::from(insight)).map(|no| no.0).collect()
    }
}

#[test]
fn a_policy_is_one_file_and_one_line() {
    let mut world = World::new();
    assert!(is_known(WITH_A_SAMPLE, "newestFirst") && !is_known(POLICIES, "newestFirst"));
    world.configure("i", "newestFirst", 0);
    world.arrive("i", 1..=4);
    assert_eq!(world.pull(None, 3), [4, 3, 2]);
    world.on(4, "i", |entry| Event::Ended { entry, cost: Duration::from_secs(7) });
    let (insight, key, value) = (InsightId::from("i"), "c".to_owned(), "7".to_owned());
    assert_eq!(world.scheduler.take_changes(), [RowChange::Put { insight, key, value }]);
}

#[test]
fn a_pull_takes_one_from_each_insight_in_turn_and_goes_on_after_the_last() {
    let mut world = World::new();
    for insight in ["a", "b", "c"] {
        world.configure(insight, "fifo", 0);
    }
    world.arrive("a", [1, 2]);
    world.arrive("b", [11, 12, 13]);
    world.arrive("c", [21]);
    assert_eq!(world.pull(None, 2), [1, 11]);
    assert_eq!(world.pull(None, 2), [21, 2]);
    assert_eq!(world.pull(None, 9), [12, 13]);
    assert_eq!(world.pull(None, 1), [0_u64; 0]);
}

#[test]
fn a_pull_of_one_insight_takes_from_no_other() {
    let mut world = World::new();
    world.configure("a", "fifo", 0);
    world.configure("b", "fifo", 0);
    world.arrive("a", [1]);
    world.arrive("b", [2]);
    assert_eq!(world.pull(Some("b"), 5), [2]);
    assert_eq!(world.pull(Some("nothing"), 5), [0_u64; 0]);
    assert_eq!(world.pull(None, 5), [1]);
}

#[test]
fn a_queue_is_filled_as_agendas_come_and_go() {
    let mut world = World::new();
    world.configure("i", "fifo", 2);
    world.arrive("i", 1..=5);
    assert_eq!(world.queued("i"), [1, 2]);
    world.on(1, "i", |entry| Event::Withdrawn(entry));
    assert_eq!(world.queued("i"), [2, 3]);
    world.on(5, "i", |entry| Event::Withdrawn(entry));
    assert_eq!(world.pull(None, 1), [2]);
    assert_eq!(world.queued("i"), [3, 4]);
    let decision = world.on(2, "i", |entry| Event::Returned(entry))[0];
    assert_eq!(decision.because, Because::Returned);
    assert_eq!(world.queued("i"), [2, 3, 4]);
    assert_eq!(world.pull(None, 9), [2, 3, 4]);
}

#[test]
fn a_larger_queue_is_filled_at_once_and_a_smaller_one_keeps_what_it_has() {
    let mut world = World::new();
    world.configure("i", "fifo", 1);
    world.arrive("i", 1..=4);
    assert_eq!(world.configure("i", "fifo", 3).len(), 2);
    assert_eq!(world.queued("i"), [1, 2, 3]);
    assert!(world.configure("i", "fifo", 0).is_empty());
    assert_eq!(world.queued("i"), [1, 2, 3]);
}

#[test]
fn another_policy_forgets_what_the_first_one_knew() {
    let mut world = World::new();
    world.configure("i", "roundRobin", 0);
    world.arrive("i", 1..=2);
    assert_eq!(world.pull(None, 1), [1]);
    let rows = world.scheduler.take_changes();
    assert!(matches!(&rows[..], [RowChange::Put { key, .. }] if key == "c"), "{rows:?}");
    world.configure("i", "roundRobin", 0);
    assert_eq!(world.scheduler.take_changes(), [], "it is the same policy");
    world.configure("i", "fifo", 3);
    assert_eq!(world.scheduler.take_changes(), [RowChange::Clear { insight: InsightId::from("i") }]);
}

/// A random action of the property below, in small numbers.
#[derive(Clone, Debug)]
enum Action {
    Arrive { customer: usize, insight: usize },
    Withdraw { agenda: usize },
    Pull { only: Option<usize>, count: usize },
    Return { agenda: usize },
    End { agenda: usize },
    Configure { insight: usize, policy: usize, queue_size: usize },
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => (0..3_usize, 0..2_usize).prop_map(|(customer, insight)| Action::Arrive { customer, insight }),
        1 => any::<usize>().prop_map(|agenda| Action::Withdraw { agenda }),
        3 => (prop::option::of(0..2_usize), 1..5_usize).prop_map(|(only, count)| Action::Pull { only, count }),
        1 => any::<usize>().prop_map(|agenda| Action::Return { agenda }),
        2 => any::<usize>().prop_map(|agenda| Action::End { agenda }),
        1 => (0..2_usize, 0..2_usize, 0..4_usize).prop_map(|(insight, policy, queue_size)| Action::Configure { insight, policy, queue_size }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// After any actions, no agenda is lost or handed out twice, and no pull returns less than it could.
    #[test]
    fn a_pull_gets_what_there_is_and_each_agenda_once(actions in prop::collection::vec(action(), 1..80)) {
        let customers = ["a", "b", "c"].map(CustomerId::from);
        let insights = ["i", "j"].map(InsightId::from);
        let pool = PoolId::from("p");
        let mut scheduler = Scheduler::new(POLICIES);
        for customer in &customers {
            scheduler.on(NOW, Event::Configured(Setting::Joined(customer, &pool)));
        }
        let mut settings = [(0, 0), (1, 2)];
        for (insight, (policy, queue_size)) in insights.iter().zip(settings) {
            let algorithm = POLICIES[policy].name;
            let setting = Setting::Insight { insight, pool: &pool, algorithm, queue_size };
            scheduler.on(NOW, Event::Configured(setting));
        }
        // The owner and the insight of each agenda, by number; then the agendas that wait, and the agendas of a pool.
        let mut agendas: Vec<(usize, usize)> = Vec::new();
        let (mut waiting, mut running) = (BTreeSet::<u64>::new(), BTreeSet::<u64>::new());
        let chosen = |set: &BTreeSet<u64>, n: usize| set.iter().nth(n % set.len().max(1)).copied();
        for action in actions {
            let entry = |no: u64| {
                let (customer, insight) = agendas[usize::try_from(no).unwrap()];
                Entry { agenda: AgendaNo(no), insight: &insights[insight], customer: &customers[customer] }
            };
            match action {
                Action::Arrive { customer, insight } => {
                    let no = agendas.len() as u64;
                    agendas.push((customer, insight));
                    waiting.insert(no);
                    let entry = Entry { agenda: AgendaNo(no), insight: &insights[insight], customer: &customers[customer] };
                    scheduler.on(NOW, Event::Arrived(entry));
                }
                Action::Withdraw { agenda } => if let Some(no) = chosen(&waiting, agenda) {
                    waiting.remove(&no);
                    scheduler.on(NOW, Event::Withdrawn(entry(no)));
                },
                Action::Return { agenda } => if let Some(no) = chosen(&running, agenda) {
                    running.remove(&no);
                    waiting.insert(no);
                    scheduler.on(NOW, Event::Returned(entry(no)));
                },
                Action::End { agenda } => if let Some(no) = chosen(&running, agenda) {
                    running.remove(&no);
                    scheduler.on(NOW, Event::Ended { entry: entry(no), cost: Duration::from_secs(1) });
                },
                Action::Configure { insight, policy, queue_size } => {
                    settings[insight] = (policy, queue_size);
                    let (insight, algorithm) = (&insights[insight], POLICIES[policy].name);
                    let setting = Setting::Insight { insight, pool: &pool, algorithm, queue_size };
                    scheduler.on(NOW, Event::Configured(setting));
                }
                Action::Pull { only, count } => {
                    let there = waiting.iter().filter(|no| only.is_none_or(|i| agendas[usize::try_from(**no).unwrap()].1 == i)).count();
                    let decisions = scheduler.pull(NOW, &pool, only.map(|i| &insights[i]), count);
                    let started: Vec<u64> = decisions.iter().filter(|d| d.to == Destination::Pool).map(|d| d.agenda.0).collect();
                    prop_assert_eq!(started.len(), count.min(there));
                    for no in started {
                        prop_assert!(waiting.remove(&no), "{} was handed out twice", no);
                        running.insert(no);
                    }
                }
            }
            let mut left = 0;
            for (at, insight) in insights.iter().enumerate() {
                let (all, queued) = (scheduler.waiting(insight), scheduler.queued(insight).count());
                prop_assert!(queued >= settings[at].1.min(all), "the queue is not filled");
                left += all;
            }
            prop_assert_eq!(left, waiting.len());
        }
    }

    /// While every customer has work, no customer is more than one agenda ahead, in pulls of any size.
    #[test]
    fn round_robin_gives_everybody_the_same(pulls in prop::collection::vec(1..7_usize, 1..40), queue_size in 0..3_usize) {
        let customers: Vec<CustomerId> = ["a", "b", "c", "d", "e"].map(CustomerId::from).into();
        let (insight, pool) = (InsightId::from("i"), PoolId::from("p"));
        let mut scheduler = Scheduler::new(POLICIES);
        for customer in &customers {
            scheduler.on(NOW, Event::Configured(Setting::Joined(customer, &pool)));
        }
        let setting = Setting::Insight { insight: &insight, pool: &pool, algorithm: "roundRobin", queue_size: 0 };
        scheduler.on(NOW, Event::Configured(setting));
        for no in 0..1500_u64 {
            let customer = &customers[usize::try_from(no).unwrap() % customers.len()];
            scheduler.on(NOW, Event::Arrived(Entry { agenda: AgendaNo(no), insight: &insight, customer }));
        }
        let setting = Setting::Insight { insight: &insight, pool: &pool, algorithm: "roundRobin", queue_size };
        scheduler.on(NOW, Event::Configured(setting));
        let mut served = [0_u32; 5];
        for count in pulls {
            for decision in scheduler.pull(NOW, &pool, None, count) {
                if decision.to == Destination::Pool {
                    served[usize::try_from(decision.agenda.0).unwrap() % 5] += 1;
                }
            }
            let (least, most) = (served.iter().min().unwrap(), served.iter().max().unwrap());
            prop_assert!(most - least <= 1, "{:?}", served);
        }
    }
}
