//! Commits that a store refuses as a whole: violated keys, and writes under an older claim.

use pop_compiler::agenda::Operation as AgendaOperation;

use super::{Claimed, event, new};
use crate::core::record::Write;
use crate::ids::{AgendaId, AgendaNo, CustomerId};
use crate::store::{Fault, StoreError};

pub(super) fn a_commit_is_all_or_nothing(store: &Claimed) {
    store.commit(&new(1, "a", None)).unwrap();
    let mut writes = new(2, "a", None).to_vec();
    writes.extend(new(1, "a", None));
    assert!(store.commit(&writes).is_err(), "agenda 1 is there already");
    assert_eq!(store.agenda(&AgendaId::from("ag_2")).unwrap(), None);
    store.commit(&new(2, "a", None)).unwrap();
    assert_eq!(store.load().unwrap().live.len(), 2);
}

/// Keys are unique: a commit that violates a key fails with an error, and the store keeps nothing of the commit.
pub(super) fn a_key_is_violated_by_nothing(store: &Claimed) {
    store.commit(&new(1, "a", Some("k"))).unwrap();
    store.commit(&[event(1)]).unwrap();
    let mut same_id = new(2, "a", None);
    if let [Write::NewAgenda(new), _] = &mut same_id {
        new.header.id = AgendaId::from("ag_1");
    }
    let made = |name: &str| AgendaOperation { name: name.into(), ..AgendaOperation::default() };
    let violations: [(&str, Vec<Write>); 5] = [
        ("an idempotency key", new(2, "a", Some("k")).to_vec()),
        ("an agenda's number", new(1, "b", None).to_vec()),
        ("an agenda's id", same_id.to_vec()),
        ("an event's number", vec![event(2), event(1)]),
        (
            "an operation's position",
            vec![
                Write::Generated(AgendaNo(1), 1, vec![made("c"), made("d")]),
                Write::Generated(AgendaNo(1), 2, vec![made("e")]),
            ],
        ),
    ];
    for (what, writes) in violations {
        let refused = store.commit(&writes);
        assert!(
            matches!(refused, Err(StoreError::Database { fault: Fault::Violated, .. })),
            "{what}: {refused:?}"
        );
    }
    assert_eq!(store.agendas(&super::everything(9)).unwrap().len(), 1);
    assert_eq!(store.by_key(&CustomerId::from("a"), "k").unwrap(), Some(AgendaId::from("ag_1")));
    assert_eq!(store.events(AgendaNo(1), 0, 9).unwrap().len(), 1);
    assert!(store.generated(AgendaNo(1)).unwrap().is_empty());
    store.commit(&new(2, "b", Some("k"))).unwrap();
}

pub(super) fn an_older_claim_is_refused(store: &Claimed) {
    store.commit(&new(1, "a", None)).unwrap();
    let newer = store.claim().unwrap();
    for writes in [&new(2, "a", None)[..], &[]] {
        let refused = store.commit(writes);
        assert!(matches!(refused, Err(StoreError::Fenced { held, newest }) if held < newest), "{refused:?}");
    }
    assert_eq!(store.agenda(&AgendaId::from("ag_2")).unwrap(), None);
    store.store.commit(&newer, &new(2, "a", None)).unwrap();
    assert_eq!(store.load().unwrap().live.len(), 2);
}
