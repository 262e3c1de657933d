//! The agent by value, and in a simulation where calls are lost, late and answered twice.

use std::collections::BTreeMap;

use pop_compiler::agenda::Agenda as Work;
use proptest::prelude::*;

use super::*;

const LEASE: Duration = Duration::from_secs(30);
const GRACE: Duration = Duration::from_secs(5);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn id(agenda: &str, epoch: u64) -> LeaseId {
    LeaseId { id: agenda.into(), epoch }
}

fn lease(id: &LeaseId) -> Lease {
    let lease_ms = u64::try_from(LEASE.as_millis()).unwrap();
    let (id, epoch) = (id.id.clone(), id.epoch);
    Lease { id, epoch, lease_ms, interrupted: 0, agenda: Work::default(), progress: Vec::new() }
}

fn agent(slots: usize) -> Agent {
    let mut agent = Agent::new(Settings { instance: "i".into(), slots, grace: GRACE });
    let outputs = agent.on(seconds(0), Input::Tick);
    assert_eq!(outputs, [Output::Attach]);
    agent.on(
        seconds(0),
        Input::Attached(Ok(AttachResponse { lease_ms: 30_000, returned: vec![], kept: vec![] })),
    );
    agent
}

fn pulled(leases: &[LeaseId]) -> Input {
    Input::Pulled(Ok(PullResponse { leases: leases.iter().map(lease).collect(), waited_ms: 0 }))
}

fn renewed(lost: &[LeaseId]) -> Input {
    Input::Renewed(Ok(RenewResponse { lease_ms: 30_000, cancel: vec![], lost: lost.into() }))
}

fn silent() -> PortError {
    PortError::Unreachable("silence".into())
}

fn commands(outputs: &[Output]) -> Vec<Command> {
    let command = |output: &Output| match output {
        Output::Execute(command) => Some(command.clone()),
        _ => None,
    };
    outputs.iter().filter_map(command).collect()
}

#[test]
fn an_answer_about_an_earlier_lease_leaves_the_later_one() {
    let mut agent = agent(4);
    agent.on(seconds(1), pulled(&[id("a", 1)]));
    // The agent's network was away, and the server leased the same agenda again to this agent.
    agent.on(seconds(2), pulled(&[id("a", 2)]));
    let outputs = agent.on(seconds(3), renewed(&[id("a", 1)]));
    assert_eq!(commands(&outputs), [Command::Lost(id("a", 1))]);
    let renew = outputs.iter().find_map(|output| match output {
        Output::Renew { leases, .. } => Some(leases.clone()),
        _ => None,
    });
    assert_eq!(renew, Some(vec![id("a", 2)]), "the later lease goes on being renewed");
    let over = Finished { lease: id("a", 1), how: Finish::Ended };
    assert!(agent.on(seconds(3), Input::Finished(over)).is_empty());
}

#[test]
fn one_lost_connection_costs_no_lease() {
    let mut agent = agent(1);
    agent.on(seconds(0), pulled(&[id("a", 1)]));
    agent.on(seconds(0), renewed(&[]));
    // The network forgets the connection: the next renewal gets no answer, the renewal after that does.
    let outputs = agent.on(seconds(5), Input::Tick);
    let [Output::Renew { limit, .. }] = outputs.as_slice() else { panic!("{outputs:?}") };
    assert_eq!(*limit, LEASE / 3);
    assert!(commands(&agent.on(seconds(15), Input::Renewed(Err(silent())))).is_empty());
    let outputs = agent.on(agent.next_wake().unwrap(), Input::Tick);
    assert!(matches!(outputs.as_slice(), [Output::Renew { .. }]), "{outputs:?}");
    assert!(commands(&agent.on(seconds(16), renewed(&[]))).is_empty());
    assert!(
        commands(&agent.on(seconds(30), Input::Tick)).is_empty(),
        "it counts from the renewal that worked"
    );
}

#[test]
fn without_a_renewal_programs_end_before_the_lease() {
    let mut agent = agent(1);
    agent.on(seconds(0), pulled(&[id("a", 1)]));
    assert!(commands(&agent.on(seconds(21), Input::Tick)).is_empty());
    assert_eq!(commands(&agent.on(seconds(22), Input::Tick)), [Command::Yield(id("a", 1))]);
    assert_eq!(commands(&agent.on(seconds(27), Input::Tick)), [Command::Kill(id("a", 1))]);
    assert!(commands(&agent.on(seconds(40), Input::Tick)).is_empty(), "once is enough");
}

#[test]
fn what_was_granted_long_ago_is_not_started() {
    let mut agent = agent(2);
    // The machine slept while the answer lay in its network card.
    let outputs = agent.on(seconds(90), pulled(&[id("a", 1)]));
    assert!(commands(&outputs).is_empty());
    assert!(outputs.iter().any(|o| matches!(o, Output::Release { leases, .. } if *leases == [id("a", 1)])));
}

#[test]
fn a_stop_gives_everything_back_and_then_ends() {
    let mut agent = agent(2);
    agent.on(seconds(0), pulled(&[id("a", 1), id("b", 3)]));
    let outputs = agent.on(seconds(1), Input::Stop);
    assert_eq!(commands(&outputs), [Command::Yield(id("a", 1)), Command::Yield(id("b", 3))]);
    let yielded = |lease: LeaseId| Input::Finished(Finished { lease, how: Finish::Yielded });
    let outputs = agent.on(seconds(2), yielded(id("a", 1)));
    assert!(matches!(&outputs[..], [Output::Release { leaving: false, .. }, ..]), "{outputs:?}");
    agent.on(seconds(2), Input::Released(Ok(ReleaseResponse { released: vec![] })));
    let outputs = agent.on(seconds(3), yielded(id("b", 3)));
    assert!(matches!(&outputs[..], [Output::Release { leaving: true, .. }, ..]), "{outputs:?}");
    let outputs = agent.on(seconds(3), Input::Released(Ok(ReleaseResponse { released: vec![] })));
    assert!(outputs.contains(&Output::End(Ok(()))), "{outputs:?}");
}

#[test]
fn a_stop_does_not_wait_for_a_server_that_is_gone() {
    let mut agent = agent(2);
    agent.on(seconds(0), pulled(&[id("a", 1)]));
    agent.on(seconds(1), Input::Stop);
    let outputs = agent.on(seconds(1) + GRACE + seconds(5), Input::Tick);
    assert!(outputs.contains(&Output::End(Ok(()))), "{outputs:?}");
}

#[test]
fn refused_credentials_leave_running_work_alone() {
    let mut agent = agent(1);
    agent.on(seconds(0), pulled(&[id("a", 1)]));
    let outputs = agent.on(seconds(1), Input::Renewed(Err(PortError::Denied("no".into()))));
    assert!(commands(&outputs).is_empty());
    assert!(!outputs.iter().any(|output| matches!(output, Output::End(_))));
}

#[test]
fn an_agent_that_was_superseded_ends_what_it_has_and_says_so() {
    let mut agent = agent(1);
    agent.on(seconds(0), pulled(&[id("a", 1)]));
    let superseded = PortError::Superseded("another start has taken over".into());
    let outputs = agent.on(seconds(1), Input::Renewed(Err(superseded.clone())));
    assert_eq!(commands(&outputs), [Command::Lost(id("a", 1))]);
    let over = Finished { lease: id("a", 1), how: Finish::Ended };
    let outputs = agent.on(seconds(2), Input::Finished(over));
    assert!(outputs.contains(&Output::End(Err(superseded))), "{outputs:?}");
}

/// One agent, a server with four agendas, and a network that loses any call or answer.
struct World {
    agent: Agent,
    now: Duration,
    /// The server's state: the epoch of each agenda, and the end of its lease.
    agendas: BTreeMap<String, (u64, Option<Duration>)>,
    /// The leases that the executor runs, each with the time of its stop, if any.
    runs: BTreeMap<LeaseId, Option<Duration>>,
    calls: BTreeMap<&'static str, (Output, Option<Input>)>,
    granted: BTreeMap<String, Vec<LeaseId>>,
    warned: bool,
}

impl World {
    fn new() -> Self {
        let agendas = ["a", "b", "c", "d"].map(|name| (name.to_owned(), (0, None)));
        let mut world = Self {
            agent: Agent::new(Settings { instance: "i".into(), slots: 3, grace: GRACE }),
            now: seconds(100),
            agendas: agendas.into(),
            runs: BTreeMap::new(),
            calls: BTreeMap::new(),
            granted: BTreeMap::new(),
            warned: false,
        };
        world.input(Input::Tick);
        world
    }

    fn input(&mut self, input: Input) {
        let outputs = self.agent.on(self.now, input);
        for output in outputs {
            match output {
                Output::Execute(Command::Run(lease)) => {
                    assert!(self.runs.insert(id(&lease.id, lease.epoch), None).is_none(), "started twice");
                }
                Output::Execute(Command::Yield(lease)) => {
                    if let Some(run) = self.runs.get_mut(&lease) {
                        run.get_or_insert(self.now);
                    }
                }
                Output::Execute(Command::Lost(lease)) => self.finish(&lease, Finish::Ended),
                Output::Execute(Command::Kill(lease)) => self.finish(&lease, Finish::Yielded),
                Output::Attach => self.called("attach", output),
                Output::Pull { .. } => self.called("pull", output),
                Output::Renew { .. } => self.called("renew", output),
                Output::Release { .. } => self.called("release", output),
                Output::Warn(_) => self.warned = true,
                Output::DropPull | Output::Execute(Command::Cancel(_)) | Output::FenceAt(_) => {}
                Output::End(result) => panic!("it ended: {result:?}"),
            }
        }
    }

    fn called(&mut self, what: &'static str, call: Output) {
        assert!(self.calls.insert(what, (call, None)).is_none(), "two calls of one kind at a time");
    }

    fn finish(&mut self, lease: &LeaseId, how: Finish) {
        if self.runs.remove(lease).is_some() {
            self.input(Input::Finished(Finished { lease: lease.clone(), how }));
        }
    }

    /// Whether the server holds this lease.
    fn holds(&self, lease: &LeaseId) -> bool {
        matches!(self.agendas[&lease.id], (epoch, Some(until)) if epoch == lease.epoch && self.now < until)
    }

    /// Delivers the call to the server, which prepares its answer.
    fn serve(&mut self, what: &'static str) {
        let Some((call, None)) = self.calls.get(what) else { return };
        let answer = match call.clone() {
            Output::Attach => {
                Input::Attached(Ok(AttachResponse { lease_ms: 30_000, returned: vec![], kept: vec![] }))
            }
            Output::Pull { count, request, .. } => {
                let until = self.now + LEASE;
                let known = self.granted.get(&request).cloned().unwrap_or_default();
                let mut leases: Vec<LeaseId> = known.into_iter().filter(|lease| self.holds(lease)).collect();
                // A repeated call is a sign of life, so the server renews the leases of the call.
                for lease in &leases {
                    self.agendas.insert(lease.id.clone(), (lease.epoch, Some(until)));
                }
                if leases.is_empty() {
                    for (agenda, (epoch, lease)) in &mut self.agendas {
                        if lease.is_none_or(|until| until <= self.now) && leases.len() < count as usize {
                            *epoch += 1;
                            *lease = Some(until);
                            leases.push(id(agenda, *epoch));
                        }
                    }
                    self.granted.insert(request, leases.clone());
                }
                pulled(&leases)
            }
            Output::Renew { leases, .. } => {
                let (held, lost): (Vec<_>, Vec<_>) = leases.into_iter().partition(|lease| self.holds(lease));
                for lease in held {
                    self.agendas.insert(lease.id, (lease.epoch, Some(self.now + LEASE)));
                }
                renewed(&lost)
            }
            Output::Release { leases, .. } => {
                for lease in leases.iter().filter(|lease| self.holds(lease)).cloned().collect::<Vec<_>>() {
                    self.agendas.insert(lease.id, (lease.epoch, None));
                }
                Input::Released(Ok(ReleaseResponse { released: leases }))
            }
            other => panic!("{other:?}"),
        };
        if let Some((_, slot)) = self.calls.get_mut(what) {
            *slot = Some(answer);
        }
    }

    /// Delivers the answer, or drops it.
    fn answer(&mut self, what: &'static str, arrives: bool) {
        let Some((call, answer)) = self.calls.remove(what) else { return };
        let input = match (answer.filter(|_| arrives), call) {
            (Some(answer), _) => answer,
            (None, Output::Attach) => Input::Attached(Err(silent())),
            (None, Output::Pull { .. }) => Input::Pulled(Err(silent())),
            (None, Output::Renew { .. }) => Input::Renewed(Err(silent())),
            (None, _) => Input::Released(Err(silent())),
        };
        self.input(input);
    }

    /// Lets time pass, with a tick at each moment for which the agent asked.
    fn pass(&mut self, by: Duration) {
        let until = self.now + by;
        while self.now < until {
            let wake = self.agent.next_wake().map_or(until, |at| at.max(self.now + Duration::from_millis(1)));
            let stops = self.runs.values().flatten().map(|since| *since + GRACE).min().unwrap_or(until);
            self.now = wake.min(stops.max(self.now + Duration::from_millis(1))).min(until);
            let ended = |run: &Option<Duration>| run.is_some_and(|since| since + GRACE <= self.now);
            let ended: Vec<LeaseId> =
                self.runs.iter().filter(|(_, run)| ended(run)).map(|(lease, _)| lease.clone()).collect();
            for lease in ended {
                self.finish(&lease, Finish::Yielded);
            }
            self.input(Input::Tick);
            self.check();
        }
    }

    /// Checks that no program runs under a lease that the server may have given to another agent.
    fn check(&self) {
        for lease in self.runs.keys() {
            assert!(
                self.holds(lease),
                "{lease:?} runs at {:?}, and is {:?}",
                self.now,
                self.agendas[&lease.id]
            );
        }
    }

    fn act(&mut self, (kind, pick): (u8, u8)) {
        let what = ["attach", "pull", "renew", "release"][usize::from(pick % 4)];
        match kind {
            0..=2 => self.serve(what),
            3..=5 => self.answer(what, true),
            6 => self.answer(what, false),
            7 => {
                let nth = self.runs.keys().nth(usize::from(pick) % self.runs.len().max(1)).cloned();
                if let Some(lease) = nth {
                    self.finish(&lease, Finish::Ended);
                }
            }
            _ => self.pass(Duration::from_millis(u64::from(pick) * 50)),
        }
    }
}

proptest! {
    #[test]
    fn no_program_outlives_its_lease(actions in proptest::collection::vec((0u8..10, any::<u8>()), 0..300)) {
        let mut world = World::new();
        for action in actions {
            world.act(action);
            world.check();
        }
        // The network returns: every granted lease runs, and the agent pulls more.
        for _ in 0..200 {
            for what in ["attach", "renew", "release", "pull"] {
                world.serve(what);
                world.answer(what, true);
            }
            world.pass(Duration::from_millis(500));
        }
        let held = world.agendas.values().filter(|(_, until)| until.is_some_and(|u| u > world.now)).count();
        prop_assert_eq!((held, world.runs.len()), (3, 3), "all slots are used: {:?}", world.agendas);
    }
}
