//! The core by value: queues, leases, reports, cancels, keys.

use serde_json::json;

use super::command::{AgendaEnd, Command, Effect, Generated, LeaseId, Refusal, Reply, Report, ReportResult};
use super::fixture::{
    World, agenda, attach, insight, lease, operation, pool, renew, report, reports, submit,
};
use super::record::{AgendaState, Customer, FailureClass, OperationState, Write};
use crate::ids::{AgendaId, CustomerId, InsightId};
use AgendaState::{Cancelled, Executing, Failed, Leased, Queued, Ready, Succeeded};

fn end(granted: &super::command::Granted, state: AgendaState) -> Report {
    Report { end: Some(AgendaEnd { state, outputs: None, failure: None }), ..report(granted, Vec::new()) }
}

#[test]
fn a_full_queue_takes_nothing_more() {
    let mut world = World::new("fifo", 2, &["a"]);
    let ids: Vec<AgendaId> = (0..4).map(|_| world.submit("a")).collect();
    assert_eq!(world.queued().len(), 2);
    let states: Vec<AgendaState> = ids.iter().map(|id| world.state_of(id)).collect();
    assert_eq!(states, [Queued, Queued, Ready, Ready]);
    assert!(!world.writes.iter().any(|w| matches!(w, Write::Policy(..))));
}

#[test]
fn one_ready_agenda_is_moved_once_and_whole() {
    let mut world = World::new("roundRobin", 1, &["a"]);
    let id = world.submit("a");
    assert_eq!(world.queued(), ["a"]);
    let moves =
        world.writes.iter().filter(|w| matches!(w, Write::Agenda(row) if row.state == Queued)).count();
    assert_eq!(moves, 1);
    assert!(world.effects.contains(&Effect::WorkAvailable(pool(), InsightId::from("all"))));
    assert_eq!(world.state_of(&id), Queued);
}

#[test]
fn a_pull_may_take_more_than_the_queue_holds() {
    let mut world = World::new("fifo", 1, &["a"]);
    for _ in 0..7 {
        world.submit("a");
    }
    assert_eq!(world.pull("w", 5).len(), 5);
    assert_eq!(world.queued().len(), 1);
}

#[test]
fn a_queue_of_size_zero_is_filled_by_pulls() {
    let mut world = World::new("roundRobin", 0, &["a"]);
    world.submit("a");
    assert!(world.queued().is_empty());
    assert!(world.effects.contains(&Effect::WorkAvailable(pool(), InsightId::from("all"))));
    assert_eq!(world.pull("w", 2).len(), 1);
}

#[test]
fn the_queue_grows_and_shrinks_while_it_is_in_use() {
    let mut world = World::new("fifo", 1, &["a"]);
    for _ in 0..5 {
        world.submit("a");
    }
    world.ok(Command::PutInsight(insight("fifo", 3)));
    assert_eq!(world.queued().len(), 3);
    world.ok(Command::PutInsight(insight("roundRobin", 1)));
    assert_eq!(world.queued().len(), 3);
}

#[test]
fn turns_go_on_after_a_restart() {
    let mut world = World::new("roundRobin", 0, &["a", "b", "c"]);
    for customer in ["a", "a", "b", "b", "c", "c"] {
        world.submit(customer);
    }
    let owners = |world: &World, granted: &[super::command::Granted]| -> Vec<String> {
        granted
            .iter()
            .map(|g| world.store.agenda(&g.id).unwrap().unwrap().header.customer.to_string())
            .collect()
    };
    let first = world.pull("w", 2);
    assert_eq!(owners(&world, &first), ["a", "b"]);
    world.core = world.reloaded();
    let second = world.pull("w", 2);
    assert_eq!(owners(&world, &second), ["c", "a"]);
}

#[test]
fn a_held_agenda_is_stored_but_never_queued() {
    let mut world = World::new("fifo", 4, &["a"]);
    let mut held = agenda(&["a"]);
    held.params.insert("doNotRun".into(), json!(false));
    let id = world.submit_agenda("a", &held);
    assert!(world.pull("w", 1).is_empty());
    assert_eq!(world.state_of(&id), Ready);
    world.ok(Command::Cancel { agenda: id.clone() });
    assert_eq!(world.state_of(&id), Cancelled);
}

#[test]
fn unknown_customers_and_unmatched_agendas_change_nothing() {
    let mut world = World::new("fifo", 4, &["a"]);
    let id = AgendaId::from("ag_x");
    let refused = world.apply(Command::Submit(Box::new(submit(&id, "nobody", &agenda(&["a"]), None))));
    assert_eq!(refused, Err(Refusal::UnknownCustomer(CustomerId::from("nobody"))));
    let mut only_b = insight("fifo", 4);
    only_b.mappers = [("operationName".to_owned(), vec!["b".to_owned()])].into();
    world.ok(Command::PutInsight(only_b));
    let refused = world.apply(Command::Submit(Box::new(submit(&id, "a", &agenda(&["a"]), None))));
    let tried = vec![(InsightId::from("all"), "no operation is named `b`".to_owned())];
    assert_eq!(refused, Err(Refusal::NoInsight { pool: pool(), tried }));
    assert!(world.writes.is_empty());
}

#[test]
fn a_key_is_good_for_one_agenda_per_customer() {
    let mut world = World::new("fifo", 4, &["a", "b"]);
    let (one, two) = (AgendaId::from("ag_1"), AgendaId::from("ag_2"));
    world.ok(Command::Submit(Box::new(submit(&one, "a", &agenda(&["a"]), Some("k")))));
    let again = world.ok(Command::Submit(Box::new(submit(&two, "a", &agenda(&["a"]), Some("k")))));
    assert_eq!(again, Reply::Seen(one.clone()));
    world.core = world.reloaded();
    let again = world.ok(Command::Submit(Box::new(submit(&two, "a", &agenda(&["a"]), Some("k")))));
    assert_eq!(again, Reply::Seen(one));
    let other = world.ok(Command::Submit(Box::new(submit(&two, "b", &agenda(&["a"]), Some("k")))));
    assert!(matches!(other, Reply::Submitted(_)));
}

/// An agenda of `a` and `b` with a number of allowed attempts.
fn tried(world: &mut World, attempts: serde_json::Value) -> AgendaId {
    let mut agenda = agenda(&["a", "b"]);
    agenda.params.insert("maximumAttempts".into(), attempts);
    world.submit_agenda("a", &agenda)
}

/// Pulls one agenda, starts `b` in it, and loses the lease.
fn die(world: &mut World) -> super::command::Granted {
    let granted = world.pull("w", 1).remove(0);
    let attempt = u32::try_from(granted.epoch).unwrap();
    world.report("w", report(&granted, vec![operation("b", OperationState::Executing, attempt, 50.0)]));
    world.advance(60);
    world.ok(Command::Tick);
    granted
}

#[test]
fn an_agenda_that_only_loses_leases_is_not_handed_out_for_ever() {
    for attempts in [json!(3), json!("3")] {
        let mut world = World::new("fifo", 4, &["a"]);
        let id = tried(&mut world, attempts);
        die(&mut world);
        world.core = world.reloaded();
        die(&mut world);
        assert_eq!(world.state_of(&id), Queued);
        let last = die(&mut world);
        assert!(world.pull("w", 1).is_empty());
        let record = world.store.agenda(&id).unwrap().unwrap();
        assert_eq!((record.row.state, record.row.epoch), (Failed, 3));
        let failure = record.failure.unwrap();
        assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Infra, "AttemptsExhausted"));
        assert_eq!(failure.operation.as_deref(), Some("b"));
        assert!(
            failure.message.contains("3 leases of the agenda were lost in a row")
                && failure.message.contains("`b` was running"),
            "{failure:?}"
        );
        // A former holder that reports learns of its loss.
        assert_eq!(world.report("w", end(&last, Succeeded)), ReportResult::Stale);
    }
}

#[test]
fn an_agenda_that_gets_on_may_lose_any_number_of_leases() {
    let mut world = World::new("fifo", 4, &["a"]);
    let id = tried(&mut world, json!(2));
    die(&mut world);
    let granted = world.pull("w", 1).remove(0);
    world.report("w", report(&granted, vec![operation("a", OperationState::Succeeded, 1, 100.0)]));
    world.advance(60);
    world.ok(Command::Tick);
    assert_eq!(world.state_of(&id), Queued, "one lost lease since `a` ended");
    die(&mut world);
    assert_eq!(world.state_of(&id), Failed);
}

#[test]
fn an_agenda_that_says_nothing_has_many_attempts_and_not_any_number() {
    let mut world = World::new("fifo", 4, &["a"]);
    let id = world.submit_agenda("a", &agenda(&["b"]));
    let mut times = 0;
    while !world.state_of(&id).is_terminal() {
        die(&mut world);
        times += 1;
    }
    assert_eq!(times, 20);
}

#[test]
fn a_lease_that_nobody_renews_comes_back_to_the_head() {
    let mut world = World::new("fifo", 4, &["a"]);
    let (first, second) = (world.submit("a"), world.submit("a"));
    world.submit("a");
    let granted = world.pull("w", 2);
    let running = operation("a", OperationState::Executing, 1, 50.0);
    world.report("w", report(&granted[0], vec![running]));
    assert_eq!(world.state_of(&first), Executing);
    assert_eq!(world.ok(Command::Tick), Reply::Expired(0));
    assert_eq!(world.core.next_deadline(), Some(world.now + world.core.settings.lease));
    world.advance(30);
    assert_eq!(world.ok(Command::Tick), Reply::Expired(2));
    let again = world.pull("v", 3);
    assert_eq!((&again[0].id, again[0].epoch), (&first, 2));
    assert_eq!(again[1].id, second);
    let operations = world.store.operations(world.core.state.ids[&first]).unwrap();
    let row = operations[0].1.as_ref().unwrap();
    assert_eq!((row.state, row.attempt), (OperationState::Ready, 1));
    assert_eq!(world.report("w", end(&granted[0], Succeeded)), ReportResult::Stale);
}

#[test]
fn a_renewed_lease_lives_on() {
    let mut world = World::new("fifo", 4, &["a"]);
    world.submit("a");
    let granted = world.pull("w", 1);
    for _ in 0..5 {
        world.advance(20);
        world.ok(renew("w", "1", vec![lease(&granted[0])]));
        assert!(world.writes.is_empty(), "renewals are kept in memory");
        assert_eq!(world.ok(Command::Tick), Reply::Expired(0));
    }
    for (worker, instance) in [("other", "1"), ("w", "2")] {
        let renewed = world.ok(renew(worker, instance, vec![lease(&granted[0])]));
        assert!(matches!(renewed, Reply::Renewed { lost, .. } if lost.len() == 1), "{worker} {instance}");
    }
}

#[test]
fn a_new_instance_gives_back_what_the_old_one_held() {
    let mut world = World::new("fifo", 4, &["a"]);
    let ids: Vec<AgendaId> = (0..3).map(|_| world.submit("a")).collect();
    world.pull_as("w", "1", 2, "r1");
    let returned = |ids: &[AgendaId]| Reply::Attached {
        returned: ids.iter().map(|id| LeaseId { id: id.clone(), epoch: 1 }).collect(),
        kept: Vec::new(),
    };
    assert_eq!(world.ok(attach("w", "1", Vec::new())), returned(&[]));
    assert_eq!(world.ok(attach("w", "2", Vec::new())), returned(&ids[..2]));
    let again: Vec<AgendaId> = world.pull_as("w", "2", 3, "r2").into_iter().map(|g| g.id).collect();
    assert_eq!(again, ids);
}

#[test]
fn a_repeated_pull_gets_the_same_leases() {
    let mut world = World::new("fifo", 4, &["a"]);
    for _ in 0..3 {
        world.submit("a");
    }
    let first = world.pull_as("w", "1", 2, "r");
    assert_eq!(world.pull_as("w", "1", 2, "r"), first);
    world.core = world.reloaded();
    assert_eq!(world.pull_as("w", "1", 2, "r"), first);
    assert_eq!(world.pull_as("w", "1", 2, "s").len(), 1);
}

#[test]
fn an_end_needs_ended_operations() {
    let mut world = World::new("fifo", 4, &["a"]);
    let id = world.submit_agenda("a", &agenda(&["x", "y"]));
    let granted = world.pull("w", 1).remove(0);
    let done = operation("x", OperationState::Succeeded, 1, 100.0);
    let mut early = end(&granted, Succeeded);
    early.operations = vec![done];
    let refused = world.apply(reports("w", "1", vec![early.clone()]));
    assert!(matches!(refused, Err(Refusal::Invalid(why)) if why.contains("`y`")));
    assert_eq!(world.state_of(&id), Leased, "nothing of the report was applied");
    early.end.as_mut().unwrap().state = Failed;
    assert_eq!(world.report("w", early), ReportResult::Accepted);
    let operations = world.store.operations(crate::ids::AgendaNo(1)).unwrap();
    let states: Vec<OperationState> = operations.iter().map(|(_, row)| row.as_ref().unwrap().state).collect();
    assert_eq!(states, [OperationState::Succeeded, OperationState::Skipped]);
}

#[test]
fn reports_name_operations_that_exist() {
    let mut world = World::new("fifo", 4, &["a"]);
    world.submit("a");
    let granted = world.pull("w", 1).remove(0);
    let unknown = report(&granted, vec![operation("zzz", OperationState::Executing, 1, 0.0)]);
    let refused = world.apply(reports("w", "1", vec![unknown]));
    assert!(matches!(refused, Err(Refusal::Invalid(why)) if why.contains("`zzz`")));
}

#[test]
fn a_repeated_end_is_accepted_and_changes_nothing() {
    let mut world = World::new("fifo", 4, &["a"]);
    world.submit("a");
    let granted = world.pull("w", 1).remove(0);
    let mut last = end(&granted, Succeeded);
    last.operations = vec![operation("a", OperationState::Succeeded, 1, 0.0)];
    assert_eq!(world.report("w", last.clone()), ReportResult::Accepted);
    assert_eq!(world.report("w", last), ReportResult::Accepted);
    assert!(world.writes.is_empty());
}

#[test]
fn a_cancel_during_a_lease_ends_with_the_lease() {
    let mut world = World::new("fifo", 4, &["a"]);
    let id = world.submit("a");
    world.pull("w", 1);
    world.ok(Command::Cancel { agenda: id.clone() });
    world.ok(Command::Cancel { agenda: id.clone() });
    assert_eq!(world.state_of(&id), Leased);
    world.core = world.reloaded();
    world.advance(31);
    world.ok(Command::Tick);
    assert_eq!(world.state_of(&id), Cancelled);
    assert_eq!(world.ok(Command::Cancel { agenda: id }), Reply::NotAlive);
}

#[test]
fn what_is_in_use_stays() {
    let mut world = World::new("fifo", 4, &["a"]);
    let id = world.submit("a");
    world.ok(Command::PutPool(crate::core::record::Pool { id: "other".into(), title: None }));
    let moved = Customer { id: "a".into(), title: None, pool: "other".into() };
    for command in [
        Command::DeleteCustomer(CustomerId::from("a")),
        Command::DeleteInsight(InsightId::from("all")),
        Command::DeletePool(pool()),
        Command::PutCustomer(moved.clone()),
    ] {
        assert!(matches!(world.apply(command.clone()), Err(Refusal::InUse(_))), "{command:?}");
        assert!(world.writes.is_empty());
    }
    world.ok(Command::Cancel { agenda: id });
    world.ok(Command::PutCustomer(moved));
    world.ok(Command::DeleteInsight(InsightId::from("all")));
    world.ok(Command::DeletePool(pool()));
}

#[test]
fn a_lease_lasts_its_whole_length_after_a_restart() {
    let mut world = World::new("fifo", 4, &["a"]);
    world.submit("a");
    world.pull("w", 1);
    for seconds in [10, 600] {
        world.advance(seconds);
        assert_eq!(world.reloaded().next_deadline(), Some(world.now + world.core.settings.lease));
    }
}

/// A pull leaves no agenda in a queue beyond the configured size, so the memory of queues stays bounded.
#[test]
fn a_pull_takes_no_more_than_it_asks_for() {
    let mut world = World::new("fifo", 0, &["a"]);
    for id in ["b", "c"] {
        let mut other = insight("fifo", 0);
        (other.id, other.mappers) = (id.into(), [("operationName".to_owned(), vec![id.to_owned()])].into());
        other.priority = 1;
        world.ok(Command::PutInsight(other));
    }
    for name in ["a", "b", "c"].repeat(4) {
        world.submit_agenda("a", &agenda(&[name]));
    }
    assert_eq!(world.pull("w", 4).len(), 4);
    let state = &world.core.state;
    let queued: usize = state.insights.keys().map(|id| state.scheduler.queued(id).count()).sum();
    assert_eq!(queued, 0, "nothing is put into queues that the pull leaves there");
    assert_eq!(world.pull("w", 20).len(), 8);
}

#[test]
fn what_a_generator_made_is_added_with_its_success_and_once() {
    let mut world = World::new("fifo", 2, &["a"]);
    let id = world.submit_agenda("a", &agenda(&["g", "w"]));
    let granted = world.pull("w", 1).remove(0);
    let made =
        |names: &[&str]| Generated { generator: "g".into(), operations: agenda(names).operations.to_vec() };
    let success = || report(&granted, vec![operation("g", OperationState::Succeeded, 1, 100.0)]);
    let command = |report: Report| reports("w", "1", vec![report]);
    for (made, why) in [
        (vec![made(&["g.0", "w"])], "the name `w` is taken"),
        (vec![made(&["g.0", "g.0"])], "the name `g.0` is taken"),
        (vec![made(&["g.0"]), made(&["g.1"])], "lists the generator twice"),
        (vec![Generated { generator: "w".into(), operations: vec![] }], "not in the same report"),
        (vec![Generated { generator: "q".into(), operations: vec![] }], "no such operation"),
    ] {
        let refused = world.apply(command(Report { made, ..success() })).unwrap_err();
        assert!(refused.to_string().contains(why), "{refused}");
        assert!(world.writes.is_empty());
    }
    let good = Report { made: vec![made(&["g.1", "g.0"])], ..success() };
    world.ok(command(good.clone()));
    let record = world.store.agenda(&id).unwrap().unwrap();
    assert_eq!((record.row.total, record.row.percent.value()), (4, 25.0), "of two it was 50 %");
    let names = |world: &World| {
        let operations = world.store.operations(record.header.no).unwrap();
        operations.into_iter().map(|(o, _)| o.name).collect::<Vec<_>>()
    };
    assert_eq!(names(&world), ["g", "w", "g.1", "g.0"]);
    world.ok(command(good));
    assert!(world.writes.is_empty(), "a repetition adds nothing");
    let first = operation("g.0", OperationState::Succeeded, 1, 100.0);
    world.ok(command(report(&granted, vec![first])));
    assert_eq!(world.store.operations(record.header.no).unwrap()[3].1.as_ref().unwrap().attempt, 1);
    assert_eq!(names(&world).len(), 4);
}
