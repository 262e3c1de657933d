//! The holder of a lease: the instance that pulled the agenda, or the instance that took over.

use crate::core::command::{Command, Granted, LeaseId, Pull, Refusal, Reply, ReportResult};
use crate::core::fixture::{World, agenda, attach, lease, operation, pool, release, renew, report};
use crate::core::record::{AgendaState, OperationState};
use crate::ids::AgendaId;

fn world(agendas: usize) -> (World, Vec<AgendaId>) {
    let mut world = World::new("fifo", 4, &["a"]);
    let ids = (0..agendas).map(|_| world.submit("a")).collect();
    (world, ids)
}

fn pull(instance: &str, request: &str, woken: bool) -> Command {
    Command::Pull(Pull {
        pool: pool(),
        worker: "w".into(),
        instance: instance.into(),
        insight: None,
        count: 9,
        request: request.into(),
        woken,
    })
}

fn ids(granted: &[Granted]) -> Vec<LeaseId> {
    granted.iter().map(lease).collect()
}

#[test]
fn what_still_runs_goes_over_to_the_new_start_under_the_same_epoch() {
    let (mut world, _) = world(3);
    let granted = world.pull_as("w", "1", 3, "r");
    let mut holding = ids(&granted);
    holding[2].epoch = 7;
    let reply = world.ok(attach("w", "2", holding.clone()));
    let returned = vec![lease(&granted[2])];
    assert_eq!(reply, Reply::Attached { returned, kept: holding[..2].to_vec() });
    world.core = world.reloaded();
    let renewed = world.ok(renew("w", "2", holding.clone()));
    assert_eq!(renewed, Reply::Renewed { cancel: Vec::new(), lost: holding[2..].to_vec() });
    let running = || report(&granted[0], vec![operation("a", OperationState::Executing, 1, 10.0)]);
    assert_eq!(world.report_as("w", "1", running()), ReportResult::Stale);
    assert_eq!(world.report_as("w", "2", running()), ReportResult::Accepted);
    let again = world.ok(attach("w", "2", holding[..1].to_vec()));
    assert_eq!(again, Reply::Attached { returned: Vec::new(), kept: holding[..1].to_vec() });
    assert_eq!(world.store.agenda(&granted[0].id).unwrap().unwrap().row.interrupted, 0);
}

#[test]
fn a_start_that_was_taken_over_from_is_told_so() {
    let (mut world, _) = world(2);
    let granted = world.pull_as("w", "1", 1, "r");
    world.ok(attach("w", "2", Vec::new()));
    for command in [
        pull("1", "r", false),
        pull("1", "s", true),
        renew("w", "1", ids(&granted)),
        release("w", "1", ids(&granted)),
    ] {
        assert_eq!(world.apply(command), Err(Refusal::Superseded("w".into())));
    }
    assert_eq!(world.report_as("w", "1", report(&granted[0], Vec::new())), ReportResult::Stale);
    assert_eq!(world.pull_as("w", "2", 9, "r").len(), 2);
}

#[test]
fn leases_say_after_a_restart_who_speaks_for_the_worker() {
    let (mut world, _) = world(2);
    world.ok(attach("w", "2", Vec::new()));
    world.core = world.reloaded();
    assert_eq!(world.pull_as("w", "1", 1, "r").len(), 1, "nothing is known of the worker");
    world.core = world.reloaded();
    assert_eq!(world.apply(pull("2", "r", false)), Err(Refusal::Superseded("w".into())));
}

#[test]
fn what_is_given_back_is_next_and_not_lost() {
    let (mut world, submitted) = world(3);
    for round in 1..=25 {
        let granted = world.pull("w", 2);
        let given: Vec<&AgendaId> = granted.iter().map(|g| &g.id).collect();
        assert_eq!(given, [&submitted[0], &submitted[1]], "round {round}");
        let running = operation("a", OperationState::Executing, round, 10.0);
        world.report("w", report(&granted[0], vec![running]));
        let reply = world.ok(release("w", "1", ids(&granted)));
        assert_eq!(reply, Reply::Released(ids(&granted)));
        let record = world.store.agenda(&submitted[0]).unwrap().unwrap();
        assert_eq!((record.row.state, record.row.lost, record.row.interrupted), (AgendaState::Queued, 0, 0));
        let operations = world.store.operations(record.header.no).unwrap();
        assert_eq!(operations[0].1.as_ref().unwrap().state, OperationState::Ready);
        assert_eq!(world.ok(release("w", "1", ids(&granted))), Reply::Released(Vec::new()));
    }
}

#[test]
fn what_is_cancelled_and_given_back_has_ended() {
    let (mut world, submitted) = world(1);
    let granted = world.pull("w", 1);
    world.ok(Command::Cancel { agenda: submitted[0].clone() });
    world.ok(release("w", "1", ids(&granted)));
    assert_eq!(world.state_of(&submitted[0]), AgendaState::Cancelled);
}

#[test]
fn a_lost_lease_is_told_to_the_next_holder() {
    let (mut world, submitted) = world(1);
    assert_eq!(world.pull("w", 1)[0].interrupted, 0);
    world.advance(31);
    world.ok(Command::Tick);
    world.core = world.reloaded();
    let granted = world.pull("w", 1);
    assert_eq!(granted[0].interrupted, 1);
    world.ok(release("w", "1", ids(&granted)));
    assert_eq!(world.pull("v", 1)[0].interrupted, 1, "it stays so until the agenda is run again");
    assert_eq!(world.store.agenda(&submitted[0]).unwrap().unwrap().row.interrupted, 1);
}

#[test]
fn a_silent_agent_gets_nothing_until_it_calls() {
    let (mut world, _) = world(1);
    let granted = world.pull_as("w", "1", 1, "r1");
    assert_eq!(world.ok(pull("1", "r2", false)), Reply::Granted(Vec::new()));
    world.advance(31);
    world.ok(Command::Tick);
    assert_eq!(world.ok(pull("1", "r2", true)), Reply::Silent, "its poll is open, but is it there?");
    let lost = world.ok(renew("w", "1", ids(&granted)));
    assert!(matches!(lost, Reply::Renewed { lost, .. } if lost.len() == 1));
    let granted = world.ok(pull("1", "r2", true));
    assert!(matches!(granted, Reply::Granted(granted) if granted.len() == 1));
}

#[test]
fn the_same_call_again_is_a_sign_of_life() {
    let (mut world, _) = world(1);
    world.pull_as("w", "1", 1, "r1");
    world.advance(31);
    world.ok(Command::Tick);
    assert_eq!(world.pull_as("w", "1", 1, "r1").len(), 1);
}

#[test]
fn deadlines_move_with_the_clock() {
    let (mut world, _) = world(2);
    world.pull("w", 1);
    world.advance(10);
    world.pull("w", 1);
    let first = world.core.next_deadline().unwrap();
    for by in [60, -90, 45] {
        let by = jiff::SignedDuration::from_secs(by);
        world.core.shift_deadlines(by);
        world.now += by;
    }
    let by = jiff::SignedDuration::from_secs(15);
    assert_eq!(world.core.next_deadline(), Some(first + by));
    assert_eq!(world.ok(Command::Tick), Reply::Expired(0));
    world.advance(20);
    assert_eq!(world.ok(Command::Tick), Reply::Expired(1));
    let agenda = agenda(&["a"]);
    world.submit_agenda("a", &agenda);
}

#[test]
fn a_renewal_hears_of_cancels_of_leases_that_are_newer_than_it() {
    let (mut world, submitted) = world(2);
    let granted = world.pull_as("w", "1", 2, "r");
    world.ok(Command::Cancel { agenda: submitted[1].clone() });
    let known = vec![lease(&granted[0])];
    let renewed = world.ok(renew("w", "1", known));
    assert_eq!(renewed, Reply::Renewed { cancel: vec![lease(&granted[1])], lost: Vec::new() });
}
