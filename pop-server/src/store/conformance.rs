//! The contract of [`Store`], as one suite for all implementations.

mod refusals;

use std::ops::Deref;
use std::sync::Arc;

use jiff::Timestamp;
use pop_compiler::agenda::Operation as AgendaOperation;
use serde_json::json;

use super::{Fence, Filter, Kind, Store, StoreError};
use crate::core::access::Scope;
use crate::core::record::{
    AgendaHeader, AgendaRow, AgendaState, Customer, Event, Failure, FailureClass, Insight, LeaseRow, Ledger,
    LogChunk, NewAgenda, OperationName, OperationRow, OperationState, Percent, Pool, Setting, Snapshot,
    TemplateHeader, WorkflowRef, Write,
};
use crate::ids::{AgendaId, AgendaNo, CustomerId, InsightId, PoolId};
use crate::scheduler::RowChange;

/// Runs the suite; `make` returns an empty store each time.
pub(crate) fn suite(mut make: impl FnMut() -> Box<dyn Store>) {
    let cases: [fn(&Claimed); 14] = [
        secrets_are_given_back,
        an_empty_store_is_empty,
        settings_are_kept,
        rows_of_policies_are_kept,
        agendas_are_kept,
        operations_are_merged,
        operations_are_added,
        an_agenda_begins_anew,
        templates_are_kept,
        events_and_logs_are_in_order,
        refusals::a_commit_is_all_or_nothing,
        refusals::a_key_is_violated_by_nothing,
        refusals::an_older_claim_is_refused,
        reads_run_beside_commits,
    ];
    for case in cases {
        case(&Claimed::new(make()));
    }
}

/// A store with a fence.
pub(crate) struct Claimed {
    store: Box<dyn Store>,
    fence: Fence,
}

impl Claimed {
    pub(crate) fn new(store: Box<dyn Store>) -> Self {
        Self { fence: store.claim().unwrap(), store }
    }

    pub(crate) fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
        self.store.commit(&self.fence, writes)
    }
}

impl Deref for Claimed {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        self.store.as_ref()
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn header(no: u64, customer: &str) -> AgendaHeader {
    AgendaHeader {
        no: AgendaNo(no),
        id: AgendaId::from(format!("ag_{no}")),
        customer: CustomerId::from(customer),
        insight: InsightId::from("i"),
        pool: PoolId::from("p"),
        title: Some("title".into()),
        link: Some(format!("link{}", no % 2)),
        workflow: Some(WorkflowRef { name: "w".into(), version: None, digest: Some("d".into()) }),
        submitted_at: at(0),
        maximum_attempts: (no == 2).then_some(7),
    }
}

fn row(no: u64) -> AgendaRow {
    AgendaRow {
        no: AgendaNo(no),
        state: AgendaState::Ready,
        on_hold: false,
        reason: None,
        epoch: 0,
        lost: 0,
        interrupted: 0,
        seq: 1,
        percent: Percent::default(),
        total: 2,
        succeeded: 0,
        queue_position: None,
        lease: None,
        started_at: None,
        ended_at: None,
    }
}

pub(crate) fn new(no: u64, customer: &str, key: Option<&str>) -> [Write; 2] {
    let operations = ["a", "b"].map(|name| OperationName { name: name.into(), kind: "t".into() }).to_vec();
    let new = NewAgenda {
        header: header(no, customer),
        operations,
        body: Arc::from(format!("{{\"n\":{no}}}")),
        idempotency_key: key.map(str::to_owned),
        secret: false,
    };
    [Write::NewAgenda(Box::new(new)), Write::Agenda(row(no))]
}

fn operation(position: u32, state: OperationState, attempt: u32) -> OperationRow {
    OperationRow {
        agenda: AgendaNo(1),
        position,
        state,
        retrying: false,
        attempt,
        failures: 0,
        percent: Percent::new(50.0),
        message: None,
        started_at: None,
        ended_at: None,
        output: None,
        failure: None,
        ledger: None,
    }
}

fn an_empty_store_is_empty(store: &Claimed) {
    assert_eq!(store.load().unwrap(), Snapshot::default());
    store.commit(&[]).unwrap();
    assert_eq!(store.agenda(&AgendaId::from("ag_1")).unwrap(), None);
    assert!(store.operations(AgendaNo(1)).unwrap().is_empty());
}

fn settings_are_kept(store: &Claimed) {
    let customer = |id: &str| Customer { id: id.into(), title: None, pool: "p".into() };
    let insight = Insight { id: "i".into(), priority: 7, ..Insight::default() };
    store
        .commit(&[
            Write::PutPool(Pool { id: "p".into(), title: None }),
            Write::PutCustomer(customer("b")),
            Write::PutCustomer(customer("a")),
            Write::PutInsight(insight.clone()),
            Write::PutInsight(Insight { id: "j".into(), ..Insight::default() }),
            Write::DeleteInsight(InsightId::from("j")),
        ])
        .unwrap();
    let loaded = store.load().unwrap();
    assert_eq!(loaded.customers, [customer("a"), customer("b")]);
    assert_eq!(loaded.insights, [insight]);
    let ids = |after: &str, limit: usize| {
        store
            .settings(Kind::Customer, after, limit)
            .unwrap()
            .into_iter()
            .map(|setting| match setting {
                Setting::Customer(customer) => customer.id,
                other => panic!("{other:?}"),
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("", 1), ["a"]);
    assert_eq!(ids("a", 9), ["b"]);
    assert_eq!(
        store.setting(Kind::Pool, "p").unwrap(),
        Some(Setting::Pool(Pool { id: "p".into(), title: None }))
    );
    assert!(store.setting(Kind::Pool, "a").unwrap().is_none());
}

fn rows_of_policies_are_kept(store: &Claimed) {
    let (i, j) = (InsightId::from("i"), InsightId::from("j"));
    let put = |insight: &InsightId, key: &str, value: &str| {
        let (insight, key, value) = (insight.clone(), key.to_owned(), value.to_owned());
        Write::Policy(RowChange::Put { insight, key, value })
    };
    store.commit(&[put(&i, "a", "1"), put(&i, "b", ""), put(&j, "a", "")]).unwrap();
    store
        .commit(&[
            put(&i, "a", "2"),
            Write::Policy(RowChange::Delete { insight: i.clone(), key: "b".into() }),
        ])
        .unwrap();
    let rows = store.load().unwrap().policies;
    assert_eq!(rows[&i], [("a".to_owned(), "2".to_owned())].into());
    assert_eq!(rows[&j], [("a".to_owned(), String::new())].into());
    store.commit(&[Write::Policy(RowChange::Clear { insight: i.clone() }), put(&i, "c", "")]).unwrap();
    let rows = store.load().unwrap().policies;
    assert_eq!(rows[&i], [("c".to_owned(), String::new())].into());
    assert_eq!(rows[&j].len(), 1);
}

/// Stores agenda 1 with a secret in its body, in a generated operation and in an output.
pub(crate) fn a_secret(store: &Claimed, secret: &str) {
    let [Write::NewAgenda(mut created), row] = new(1, "a", None) else { unreachable!() };
    (created.secret, created.body) = (true, Arc::from(format!("\"{secret}\"")));
    let made = AgendaOperation { name: "c".into(), payload: json!(secret), ..AgendaOperation::default() };
    let done = OperationRow { output: Some(json!(secret)), ..operation(0, OperationState::Succeeded, 1) };
    let writes = [
        Write::NewAgenda(created),
        row,
        Write::Generated(AgendaNo(1), 2, vec![made]),
        Write::Operation(Box::new(done)),
    ];
    store.commit(&writes).unwrap();
    store.commit(&[Write::Ended(AgendaNo(1), Some(json!([secret])), None)]).unwrap();
    let record = store.agenda(&AgendaId::from("ag_1")).unwrap().unwrap();
    assert_eq!(record.outputs, Some(json!([secret])));
    assert!(store.body(AgendaNo(1)).unwrap().unwrap().contains(secret));
    assert!(store.generated(AgendaNo(1)).unwrap()[0].contains(secret));
    assert_eq!(store.operations(AgendaNo(1)).unwrap()[0].1.as_ref().unwrap().output, Some(json!(secret)));
}

fn secrets_are_given_back(store: &Claimed) {
    a_secret(store, "S3CR3T");
}

fn agendas_are_kept(store: &Claimed) {
    for (no, customer) in [(1, "a"), (2, "b"), (3, "a")] {
        store.commit(&new(no, customer, (no == 2).then_some("key"))).unwrap();
    }
    let lease = LeaseRow { worker: "w".into(), instance: "i".into(), request: "r".into(), cancelling: true };
    let leased = AgendaRow {
        state: AgendaState::Executing,
        epoch: 3,
        lost: 2,
        interrupted: 3,
        lease: Some(lease),
        started_at: Some(at(1)),
        ..row(2)
    };
    let failure = Failure {
        class: FailureClass::User,
        code: "ExitCode".into(),
        message: "no".into(),
        operation: None,
        exit_code: Some(3),
        signal: None,
        log_tail: ["x".into()].into(),
        mismatch: None,
    };
    let ended = AgendaRow { state: AgendaState::Failed, ended_at: Some(at(2)), ..row(3) };
    store
        .commit(&[
            Write::Agenda(leased.clone()),
            Write::Agenda(ended),
            Write::Ended(AgendaNo(3), Some(json!({ "x": 1.50 })), Some(failure.clone())),
        ])
        .unwrap();

    let second = store.agenda(&AgendaId::from("ag_2")).unwrap().unwrap();
    assert_eq!(second.header, header(2, "b"));
    assert_eq!(second.row, leased);
    assert_eq!(second.row.epoch, 3);
    let third = store.agenda(&AgendaId::from("ag_3")).unwrap().unwrap();
    assert_eq!((third.outputs, third.failure), (Some(json!({ "x": 1.50 })), Some(failure)));
    assert_eq!(store.body(AgendaNo(3)).unwrap().as_deref(), Some("{\"n\":3}"));
    assert_eq!(store.by_key(&CustomerId::from("b"), "key").unwrap(), Some(AgendaId::from("ag_2")));
    assert_eq!(store.by_key(&CustomerId::from("a"), "key").unwrap(), None);

    let list = |filter: Filter| {
        store.agendas(&filter).unwrap().into_iter().map(|r| r.header.no.0).collect::<Vec<_>>()
    };
    let all = || everything(10);
    let scope = |names: &[&str]| Scope::Customers(names.iter().map(|name| CustomerId::from(*name)).collect());
    assert_eq!(list(all()), [3, 2, 1]);
    assert_eq!(list(Filter { scope: scope(&["a"]), ..all() }), [3, 1]);
    assert_eq!(list(Filter { scope: scope(&["a"]), before: Some(AgendaNo(3)), ..all() }), [1]);
    assert_eq!(list(Filter { state: Some(AgendaState::Executing), ..all() }), [2]);
    assert_eq!(list(Filter { link: Some("link1".into()), limit: 1, ..all() }), [3]);
    assert_eq!(list(Filter { scope: scope(&["a", "b"]), ..all() }), [3, 2, 1]);
    assert_eq!(list(Filter { scope: scope(&["b", "z"]), ..all() }), [2]);
    assert_eq!(list(Filter { scope: scope(&[]), ..all() }), [0_u64; 0]);

    let loaded = store.load().unwrap();
    assert_eq!(loaded.live.iter().map(|l| l.header.no.0).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(loaded.live[1].idempotency_key.as_deref(), Some("key"));
    assert_eq!(loaded.live[0].row.lease, None);
    assert_eq!(loaded.last_no, AgendaNo(3));
}

fn operations_are_merged(store: &Claimed) {
    use OperationState::{Executing, Succeeded};
    store.commit(&new(1, "a", None)).unwrap();
    let ledger =
        Some(Box::new(Ledger { pod: Some("p".into()), posted_at: Some(at(1)), ..Ledger::default() }));
    let started =
        OperationRow { started_at: Some(at(1)), ledger: ledger.clone(), ..operation(1, Executing, 1) };
    let done = OperationRow { ended_at: Some(at(2)), output: Some(json!([1])), ..operation(1, Succeeded, 1) };
    store.commit(&[Write::Operation(Box::new(started)), Write::Operation(Box::new(done))]).unwrap();
    let read = store.operations(AgendaNo(1)).unwrap();
    assert_eq!(read[0].1, None);
    let second = read[1].1.clone().unwrap();
    assert_eq!((second.started_at, second.ended_at), (Some(at(1)), Some(at(2))));
    assert_eq!((second.state, second.output), (Succeeded, Some(json!([1]))));
    assert_eq!(second.ledger, ledger, "what is known of an attempt stays");
    let next = OperationRow { started_at: Some(at(9)), ..operation(1, Executing, 2) };
    store.commit(&[Write::Operation(Box::new(next))]).unwrap();
    let read = store.operations(AgendaNo(1)).unwrap();
    let second = read[1].1.as_ref().unwrap();
    assert_eq!((second.started_at, &second.ledger), (Some(at(9)), &None), "another attempt begins anew");
    let loaded = store.load().unwrap();
    assert_eq!(loaded.live[0].operations.len(), 2);
    assert_eq!(loaded.live[0].changed.len(), 1);
    assert_eq!(loaded.live[0].changed[0].output, None);
}

fn operations_are_added(store: &Claimed) {
    store.commit(&new(1, "a", None)).unwrap();
    store.commit(&new(2, "a", None)).unwrap();
    let made = |name: &str| AgendaOperation {
        name: name.into(),
        kind: "u".into(),
        payload: json!({"x": 1.50}),
        ..AgendaOperation::default()
    };
    let row = AgendaRow { total: 4, ..row(1) };
    let ended = OperationRow { output: Some(json!(7)), ..operation(3, OperationState::Succeeded, 1) };
    store
        .commit(&[
            Write::Generated(AgendaNo(1), 2, vec![made("z"), made("c")]),
            Write::Agenda(row),
            Write::Operation(Box::new(ended)),
        ])
        .unwrap();
    let read = store.operations(AgendaNo(1)).unwrap();
    let names: Vec<&str> = read.iter().map(|(o, _)| o.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "z", "c"]);
    assert_eq!((read[3].0.kind.as_str(), read[3].1.as_ref().unwrap().output.clone()), ("u", Some(json!(7))));
    let texts = store.generated(AgendaNo(1)).unwrap();
    assert_eq!(serde_json::from_str::<AgendaOperation>(&texts[1]).unwrap(), made("c"));
    assert!(store.generated(AgendaNo(2)).unwrap().is_empty());
    let loaded = store.load().unwrap();
    assert_eq!(loaded.live[0].operations.len(), 4);
    assert_eq!((loaded.live[0].row.total, loaded.live[1].operations.len()), (4, 2));
    assert_eq!(store.agenda(&AgendaId::from("ag_1")).unwrap().unwrap().row.total, 4);
}

fn an_agenda_begins_anew(store: &Claimed) {
    let no = AgendaNo(1);
    store.commit(&new(1, "a", Some("key"))).unwrap();
    let made =
        |name: &str| AgendaOperation { name: name.into(), kind: "u".into(), ..AgendaOperation::default() };
    let log = |name: &str| LogChunk {
        operation: name.into(),
        attempt: 1,
        stream: "stdout".into(),
        offset: 0,
        text: name.into(),
    };
    let mut writes = vec![Write::Generated(no, 2, ["c", "d", "e", "f"].map(made).to_vec())];
    writes.push(Write::Agenda(AgendaRow { total: 6, ended_at: Some(at(9)), ..row(1) }));
    for (position, name) in (0..).zip(["a", "b", "c", "d", "e", "f"]) {
        let output = Some(json!(name));
        writes.push(Write::Operation(Box::new(OperationRow {
            output,
            ..operation(position, OperationState::Succeeded, 1)
        })));
        writes.push(Write::Log(no, Box::new(log(name))));
    }
    store.commit(&writes).unwrap();
    assert!(store.load().unwrap().live.is_empty());
    let ended = store.live(&AgendaId::from("ag_1")).unwrap().unwrap();
    assert_eq!((ended.operations.len(), ended.changed.len()), (6, 6));
    assert_eq!((ended.idempotency_key.as_deref(), ended.row.ended_at), (Some("key"), Some(at(9))));

    let fresh = operation(4, OperationState::Waiting, 1);
    let row = AgendaRow { total: 4, ..row(1) };
    store
        .commit(&[
            Write::Rerun(no, vec![1, 5], vec![2, 4]),
            Write::Operation(Box::new(OperationRow { position: 3, ..fresh })),
            Write::Agenda(row),
        ])
        .unwrap();
    let read = store.operations(no).unwrap();
    let seen: Vec<_> = read
        .iter()
        .map(|(o, r)| (o.name.as_str(), r.as_ref().map(|r| (r.state, r.output.clone()))))
        .collect();
    let done = |name: &str| Some((OperationState::Succeeded, Some(json!(name))));
    let waits = Some((OperationState::Waiting, None));
    assert_eq!(seen, [("a", done("a")), ("b", None), ("d", done("d")), ("f", waits)]);
    let logs = store.logs(no, None, 0, 9).unwrap();
    assert_eq!(logs.iter().map(|(_, l)| l.operation.as_str()).collect::<Vec<_>>(), ["a", "b", "d", "f"]);
    assert_eq!(store.load().unwrap().live, [store.live(&AgendaId::from("ag_1")).unwrap().unwrap()]);
    assert_eq!(store.live(&AgendaId::from("ag_2")).unwrap(), None);
}

fn templates_are_kept(store: &Claimed) {
    let view = |name: &str, digest: &str| TemplateHeader {
        customer: None,
        name: name.into(),
        version: None,
        digest: digest.into(),
    };
    let acme = CustomerId::from("acme");
    let own = TemplateHeader { customer: Some(acme.clone()), ..view("a", "5") };
    store
        .commit(&[
            Write::PutTemplate(view("b", "1"), Arc::from("{\"n\":1.50}")),
            Write::PutTemplate(view("a", "2"), Arc::from("{}")),
            Write::PutTemplate(view("c", "3"), Arc::from("{}")),
            Write::PutTemplate(view("a", "4"), Arc::from("[]")),
            Write::DeleteTemplate(None, "c".into()),
            Write::PutTemplate(own.clone(), Arc::from("{\"own\":1}")),
            Write::DeleteTemplate(Some(acme.clone()), "b".into()),
        ])
        .unwrap();
    assert_eq!(store.templates(None, "", 9).unwrap(), [view("a", "4"), view("b", "1")]);
    assert_eq!(store.templates(Some(&acme), "", 9).unwrap(), std::slice::from_ref(&own));
    assert_eq!(store.templates(None, "a", 1).unwrap(), [view("b", "1")]);
    assert_eq!(store.load().unwrap().templates, [view("a", "4"), view("b", "1"), own]);
    assert_eq!(store.template(None, "b").unwrap().as_deref(), Some("{\"n\":1.50}"));
    assert_eq!(store.template(None, "c").unwrap(), None);
}

fn event(seq: u64) -> Write {
    let event = Event {
        seq,
        at: at(0),
        state: AgendaState::Ready,
        percent: Percent::default(),
        reason: None,
        operation: None,
        added: None,
        rerun: None,
    };
    Write::Event(AgendaNo(1), Box::new(event))
}

fn events_and_logs_are_in_order(store: &Claimed) {
    store.commit(&new(1, "a", None)).unwrap();
    let events: Vec<Write> = (1..=12).map(event).collect();
    store.commit(&events).unwrap();
    let read = store.events(AgendaNo(1), 9, 2).unwrap();
    let read: Vec<Write> = read.into_iter().map(|event| Write::Event(AgendaNo(1), Box::new(event))).collect();
    assert_eq!(read, [event(10), event(11)]);

    let chunk = |operation: &str, offset: u64| LogChunk {
        operation: operation.into(),
        attempt: 1,
        stream: "stdout".into(),
        offset,
        text: format!("{operation}{offset}"),
    };
    let log = |chunk: LogChunk| Write::Log(AgendaNo(1), Box::new(chunk));
    store.commit(&[log(chunk("b", 0)), log(chunk("a", 0)), log(chunk("b", 5))]).unwrap();
    store.commit(&[log(chunk("b", 5)), log(chunk("b", 9))]).unwrap();
    let all = store.logs(AgendaNo(1), None, 0, 10).unwrap();
    let texts: Vec<&str> = all.iter().map(|(_, c)| c.text.as_str()).collect();
    assert_eq!(texts, ["b0", "a0", "b5", "b9"]);
    let later = store.logs(AgendaNo(1), Some("b"), all[0].0, 1).unwrap();
    assert_eq!(later[0].1, chunk("b", 5));
    assert!(store.logs(AgendaNo(2), None, 0, 10).unwrap().is_empty());
}

fn reads_run_beside_commits(store: &Claimed) {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for no in 1..=50 {
                store.commit(&new(no, "a", None)).unwrap();
            }
        });
        for _ in 0..6 {
            scope.spawn(|| {
                let mut seen = 0;
                while seen < 50 {
                    let now = store.agendas(&everything(100)).unwrap().len();
                    assert!(now >= seen);
                    seen = now;
                }
            });
        }
    });
}

/// A filter that accepts every agenda.
fn everything(limit: usize) -> Filter {
    Filter { scope: Scope::All, state: None, link: None, before: None, limit }
}
