//! An old client reads what a newer server says.

use serde_json::{Value, from_value, json};

use super::*;

#[test]
fn names_of_a_newer_server_are_unknown() {
    let later = json!({
        "id": "ag_1", "customer": "c", "state": "paused", "percent": 50, "total": 1, "succeeded": 0, "insight": "i",
        "pool": "p", "epoch": 1, "submitted_at": "2026-01-02T03:04:05Z", "ended_at": "2026-01-02T03:04:06Z",
        "of_tomorrow": { "a": [1.50] },
        "failure": { "class": "weather", "code": "Rain", "message": "wait", "of_tomorrow": 1 },
        "operations": [{ "name": "a", "type": "t", "state": "frozen", "attempt": 1, "percent": 0, "of_tomorrow": [] }],
    });
    let view: AgendaView = from_value(later).unwrap();
    assert_eq!((view.state, view.state.is_terminal(), view.has_ended()), (AgendaState::Unknown, false, true));
    assert_eq!(view.operations[0].state, OperationState::Unknown);
    let failure = view.failure.unwrap();
    assert_eq!(
        (failure.class, failure.class.cause(), &*failure.code),
        (FailureClass::Unknown, "fatal", "Rain")
    );
    let insight: Insight =
        from_value(json!({ "id": "i", "algorithm": "lottery", "of_tomorrow": 1 })).unwrap();
    assert_eq!(insight.algorithm, Algorithm::Unknown("lottery".into()));
    assert_eq!(serde_json::to_value(insight).unwrap()["algorithm"], "lottery", "it is put back as it was");
}

#[test]
fn each_name_is_the_one_on_the_wire() {
    fn same<T: Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(name: &str, value: &T) {
        assert_eq!(serde_json::to_value(value).unwrap(), name);
        assert_eq!(from_value::<T>(Value::from(name)).unwrap(), *value);
    }
    use {AgendaState as A, FailureClass as F, OperationState as O};
    for state in
        [A::Ready, A::Queued, A::Leased, A::Executing, A::Succeeded, A::Failed, A::Cancelled, A::Unknown]
    {
        same(state.as_str(), &state);
    }
    for state in [
        O::Waiting,
        O::Ready,
        O::Launching,
        O::Executing,
        O::Succeeded,
        O::Failed,
        O::Skipped,
        O::Cancelled,
        O::Unknown,
    ] {
        same(state.as_str(), &state);
    }
    for class in [
        F::User,
        F::UserFatal,
        F::UserTimeout,
        F::UserResource,
        F::Infra,
        F::Capacity,
        F::Config,
        F::Platform,
        F::Policy,
        F::Unknown,
    ] {
        same(class.as_str(), &class);
    }
    for algorithm in [Algorithm::Fifo, Algorithm::RoundRobin, Algorithm::Unknown("x".into())] {
        same(algorithm.as_str(), &algorithm);
    }
}
