//! The operations that a rerun resets and removes, and the server's replies.

use pop_compiler::agenda::{Operation, Params};
use serde_json::json;

use super::*;
use crate::core::command::{AgendaEnd, Command, Generated, Granted, Report};
use crate::core::fixture::{World, agenda, operation, report};
use crate::ids::AgendaId;
use OperationState::{Cancelled, Executing, Failed, Skipped, Succeeded};

/// An operation with a payload, the operation that it comes after, and its generator.
fn op(name: &str, payload: Value, after: &str, maker: &str) -> Operation {
    let mut params = Params::new();
    if !after.is_empty() {
        params.insert(keys::DEPENDS_ON.into(), after.into());
    }
    if !maker.is_empty() {
        params.insert(keys::GENERATED_BY.into(), maker.into());
    }
    Operation { name: name.into(), kind: "t".into(), payload, params, ..Operation::default() }
}

/// The agenda of a test in the original POP: 2 refers to 1, 3 refers to 2 and comes after 1, 2 generated 4, 4 generated
/// 5, and 5 refers to 3.
fn oracle() -> Agenda {
    let operations = vec![
        op("1", Value::Null, "", ""),
        op("2", json!(["@<1.out>", "@<pop.agendaId>"]), "", ""),
        op("3", json!("@<2.out::/x>"), "1", ""),
        op("4", Value::Null, "", "2"),
        op("5", json!("@<3.out>"), "", "4"),
    ];
    Agenda { operations: operations.into(), ..Agenda::default() }
}

fn names(list: &[u32]) -> String {
    list.iter().map(|position| (position + 1).to_string()).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_depends_begins_anew_and_what_was_made_is_gone() {
    for (asked, reset, removed) in [
        ("3", "3 5", ""),
        ("2", "2 3", "4 5"),
        ("2 4", "2 3", "4 5"),
        ("1", "1 2 3", "4 5"),
        ("1 2 3 4 5", "1 2 3", "4 5"),
        ("5", "5", ""),
    ] {
        let what = Rerun::Operations(asked.split(' ').map(str::to_owned).collect());
        let found = closure(&oracle(), AgendaState::Succeeded, &[Succeeded; 5], &what).unwrap();
        assert_eq!((names(&found.reset), names(&found.removed)), (reset.into(), removed.into()), "{asked}");
    }
    let all = closure(&oracle(), AgendaState::Succeeded, &[Succeeded; 5], &Rerun::All).unwrap();
    assert_eq!((names(&all.reset), names(&all.removed)), ("1 2 3".into(), "4 5".into()));
}

#[test]
fn what_has_not_succeeded_always_begins_anew() {
    let states = [Succeeded, Failed, Cancelled, Succeeded, Skipped];
    let found = closure(&oracle(), AgendaState::Failed, &states, &Rerun::Continue).unwrap();
    assert_eq!((names(&found.reset), names(&found.removed)), ("2 3 5".into(), String::new()));
    let found =
        closure(&oracle(), AgendaState::Failed, &states, &Rerun::Operations(vec!["4".into()])).unwrap();
    assert_eq!(names(&found.reset), "2 3 4");
    assert_eq!(names(&found.removed), "5");
}

#[test]
fn who_refers_to_all_that_was_made_depends_on_each() {
    let promise = json!({ "operationsJsonPointer": "", "names": ["item.*"] });
    let mut maker = op("maker", Value::Null, "", "");
    maker.params.insert(keys::GENERATOR.into(), promise);
    let operations = vec![
        maker,
        op("sum", json!("@<item.*.out>"), "", ""),
        op("item.0", Value::Null, "", "maker"),
        op("item.1", Value::Null, "", "maker"),
    ];
    let agenda = Agenda { operations: operations.into(), ..Agenda::default() };
    let promised = Graph::new(&agenda).len() - agenda.operations.len();
    let from = |name: &str| {
        let what = Rerun::Operations(vec![name.into()]);
        closure(&agenda, AgendaState::Succeeded, &[Succeeded; 4], &what).unwrap()
    };
    assert_eq!(promised, 1, "the maker promises a family");
    assert_eq!(from("item.1"), Closure { reset: vec![1, 3], removed: Vec::new() });
    assert_eq!(from("maker"), Closure { reset: vec![0, 1], removed: vec![2, 3] });
}

#[test]
fn what_makes_no_sense_is_refused() {
    let ask = |state, what: &Rerun| closure(&oracle(), state, &[Succeeded; 5], what).unwrap_err();
    assert!(matches!(ask(AgendaState::Succeeded, &Rerun::Continue), Refusal::NothingToRun(_)));
    assert!(matches!(ask(AgendaState::Failed, &Rerun::Operations(Vec::new())), Refusal::Invalid(_)));
    let unknown = ask(AgendaState::Failed, &Rerun::Operations(vec!["1".into(), "6".into()]));
    assert!(unknown.to_string().contains("no operation `6`"), "{unknown}");
}

/// An ended agenda: `a` succeeded and generated `a.0` and `a.1`, of which the second failed.
fn failed(world: &mut World) -> AgendaId {
    let id = world.submit_agenda("c", &agenda(&["a"]));
    let granted = world.pull("w", 1).remove(0);
    let made = Generated {
        generator: "a".into(),
        operations: vec![op("a.0", Value::Null, "", "a"), op("a.1", Value::Null, "", "a")],
    };
    let states = [("a", Succeeded), ("a.0", Succeeded), ("a.1", Failed)];
    let views = states.map(|(name, state)| {
        let mut view = operation(name, state, 1, 100.0);
        view.output = (state == Succeeded).then(|| json!(name));
        view
    });
    let [first, second, third] = views;
    world.report("w", Report { made: vec![made], ..report(&granted, vec![first]) });
    let end = Some(AgendaEnd { state: AgendaState::Failed, outputs: None, failure: None });
    world.report("w", Report { end, ..report(&granted, vec![second, third]) });
    id
}

fn again(world: &World, id: &AgendaId, what: &Rerun) -> Command {
    let stored = world.store.live(id).unwrap().unwrap();
    let mut all = agenda(&["a"]);
    for text in world.store.generated(stored.header.no).unwrap() {
        all.operations.push(serde_json::from_str(&text).unwrap());
    }
    let mut states = vec![OperationState::Waiting; stored.operations.len()];
    stored.changed.iter().for_each(|row| states[row.position as usize] = row.state);
    let closure = closure(&all, stored.row.state, &states, what).unwrap();
    Command::Rerun(Box::new(RerunPlan { stored, closure, reason: "run again".into() }))
}

/// The name, state, attempt and output of each stored operation.
fn operations(world: &World, id: &AgendaId) -> Vec<(String, OperationState, u32, Option<Value>)> {
    let no = world.store.agenda(id).unwrap().unwrap().header.no;
    let rows = world.store.operations(no).unwrap();
    let one = |row: Option<OperationRow>| row.map(|r| (r.state, r.attempt, r.output)).unwrap_or_default();
    rows.into_iter().map(|(name, row)| (name, one(row))).map(|(n, (s, a, o))| (n.name, s, a, o)).collect()
}

fn is_granted(granted: &[Granted], id: &AgendaId, epoch: u64) -> bool {
    granted.iter().any(|g| g.id == *id && g.epoch == epoch)
}

#[test]
fn a_failed_agenda_goes_on_where_it_failed() {
    let mut world = World::new("fifo", 4, &["c"]);
    let id = failed(&mut world);
    let last = world.store.agenda(&id).unwrap().unwrap().row.seq;
    let reply = world.ok(again(&world, &id, &Rerun::Continue));
    assert_eq!(reply, Reply::Rerunning { after: last, reset: vec!["a.1".into()] });
    assert_eq!(
        operations(&world, &id),
        [
            ("a".into(), Succeeded, 1, Some(json!("a"))),
            ("a.0".into(), Succeeded, 1, Some(json!("a.0"))),
            ("a.1".into(), OperationState::Waiting, 1, None),
        ]
    );
    let record = world.store.agenda(&id).unwrap().unwrap();
    assert_eq!((record.row.state, record.row.ended_at, record.failure), (AgendaState::Queued, None, None));
    let granted = world.pull("w", 1);
    assert!(is_granted(&granted, &id, 2));
    // Attempt numbers go on, so a stale report of the first attempt does not count for the second.
    world.report("w", report(&granted[0], vec![operation("a.1", Executing, 1, 50.0)]));
    world.report("w", report(&granted[0], vec![operation("a.1", Executing, 2, 10.0)]));
    assert_eq!(operations(&world, &id)[2].2, 2);
}

#[test]
fn a_rerun_of_everything_forgets_what_was_made() {
    let mut world = World::new("fifo", 4, &["c"]);
    let id = failed(&mut world);
    let reply = world.ok(again(&world, &id, &Rerun::All));
    assert!(matches!(reply, Reply::Rerunning { reset, .. } if reset == ["a"]));
    assert_eq!(operations(&world, &id), [("a".into(), OperationState::Waiting, 1, None)]);
    let granted = world.pull("w", 1).remove(0);
    let made = Generated { generator: "a".into(), operations: vec![op("a.0", Value::Null, "", "a")] };
    let done = operation("a", Succeeded, 2, 100.0);
    world.report("w", Report { made: vec![made], ..report(&granted, vec![done]) });
    assert_eq!(operations(&world, &id).len(), 2);
}

fn events(world: &World, id: &AgendaId, after: u64) -> Vec<record::Event> {
    let no = world.store.agenda(id).unwrap().unwrap().header.no;
    world.store.events(no, after, 10_000).unwrap()
}

#[test]
fn watchers_learn_what_begins_anew_and_what_is_gone() {
    let mut world = World::new("fifo", 4, &["c"]);
    let id = failed(&mut world);
    let Reply::Rerunning { after, .. } = world.ok(again(&world, &id, &Rerun::All)) else { unreachable!() };
    let events = events(&world, &id, after);
    let first =
        record::RerunOperations { reset: vec!["a".into()], removed: vec!["a.0".into(), "a.1".into()] };
    assert_eq!((events[0].seq, events[0].rerun.as_ref()), (after + 1, Some(&first)));
    assert_eq!((events[0].state, events[0].percent), (AgendaState::Ready, Percent::default()));
    assert_eq!(
        events[1].operation.as_ref().map(|o| (o.name.as_str(), o.state)),
        Some(("a", OperationState::Waiting))
    );
    assert!(events[1..].iter().all(|e| e.rerun.is_none()), "{events:?}");
}

#[test]
fn very_many_names_come_in_several_events() {
    let mut world = World::new("fifo", 4, &["c"]);
    let names: Vec<String> = (0..2500).map(|i| format!("o{i:04}")).collect();
    let id = world.submit_agenda("c", &agenda(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    world.ok(Command::Cancel { agenda: id.clone() });
    let stored = world.store.live(&id).unwrap().unwrap();
    let closure = Closure { reset: (0..1200).collect(), removed: (1200..2500).collect() };
    let rerun = Command::Rerun(Box::new(RerunPlan { stored, closure, reason: "again".into() }));
    let Reply::Rerunning { after, .. } = world.ok(rerun) else { unreachable!() };
    let events = events(&world, &id, after);
    let parts: Vec<_> = events.iter().filter_map(|e| e.rerun.clone()).collect();
    let sizes: Vec<_> = parts.iter().map(|p| (p.reset.len(), p.removed.len())).collect();
    assert_eq!(sizes, [(1000, 0), (200, 800), (0, 500)]);
    let all: Vec<String> = parts.into_iter().flat_map(|p| [p.reset, p.removed].concat()).collect();
    assert_eq!(all, names);
}

#[test]
fn what_stays_of_what_was_made_moves_up() {
    let mut world = World::new("fifo", 4, &["c"]);
    let id = failed(&mut world);
    let Command::Rerun(mut rerun) = again(&world, &id, &Rerun::Continue) else { unreachable!() };
    rerun.closure = Closure { reset: vec![2], removed: vec![1] };
    world.ok(Command::Rerun(rerun));
    let expected = [
        ("a".to_owned(), Succeeded, 1, Some(json!("a"))),
        ("a.1".to_owned(), OperationState::Waiting, 1, None),
    ];
    assert_eq!(operations(&world, &id), expected);
    let granted = world.pull("w", 1).remove(0);
    let mut done = operation("a.1", Succeeded, 2, 100.0);
    done.output = Some(json!("new"));
    world.report("w", report(&granted, vec![done]));
    assert_eq!(operations(&world, &id)[1], ("a.1".to_owned(), Succeeded, 2, Some(json!("new"))));
}

#[test]
fn an_agenda_runs_once_at_a_time() {
    let mut world = World::new("fifo", 4, &["c"]);
    let id = failed(&mut world);
    let two = [again(&world, &id, &Rerun::Continue), again(&world, &id, &Rerun::All)];
    let [first, second] = two;
    world.ok(first);
    assert!(matches!(world.apply(second.clone()), Err(Refusal::NotEnded(_))), "it is queued");
    world.ok(Command::Cancel { agenda: id.clone() });
    assert!(matches!(world.apply(second), Err(Refusal::NotEnded(_))), "what was read is out of date");
    world.ok(again(&world, &id, &Rerun::All));
    assert_eq!(world.state_of(&id), AgendaState::Queued);
}

#[test]
fn a_rerun_needs_its_customer_and_its_insight() {
    let mut world = World::new("fifo", 4, &["c"]);
    let id = failed(&mut world);
    let rerun = again(&world, &id, &Rerun::Continue);
    world.ok(Command::DeleteCustomer("c".into()));
    assert!(matches!(world.apply(rerun.clone()), Err(Refusal::UnknownCustomer(_))));
    world.ok(Command::PutCustomer(crate::core::record::Customer {
        id: "c".into(),
        pool: "pool".into(),
        title: None,
    }));
    world.ok(Command::DeleteInsight("all".into()));
    assert!(matches!(world.apply(rerun), Err(Refusal::Invalid(_))));
    assert!(world.writes.is_empty());
}
