//! The states of an agenda and the legal transitions between them, as one total function. The effects of a transition
//! live elsewhere.

use super::record::AgendaState;

/// A transition of an agenda.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transition {
    /// The agenda's turn has come; the agenda enters its queue.
    Enqueue,
    /// A pool takes the agenda.
    Lease,
    /// The first operation under this lease starts.
    Start,
    /// The lease ends before the agenda.
    Return,
    /// A client cancels the agenda.
    Cancel,
    /// The pool reports the agenda's end.
    End(AgendaState),
    /// A client reruns the agenda.
    Rerun,
}

/// The result of a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The agenda goes to this state.
    To(AgendaState),
    /// The agenda keeps its state; the core remembers the cancel and reports it to the pool.
    Remember,
    /// The agenda does not change.
    Same,
    /// The transition is not legal in this state.
    Illegal,
}

/// The table of legal transitions. `cancelling` means that the core remembers a cancel.
pub(crate) fn next(state: AgendaState, cancelling: bool, transition: Transition) -> Next {
    use AgendaState::{Cancelled, Executing, Failed, Leased, Queued, Ready, Succeeded};
    match (state, transition) {
        (Queued, Transition::Lease) => Next::To(Leased),
        (Leased, Transition::Start) => Next::To(Executing),
        (Leased | Executing, Transition::Return) if cancelling => Next::To(Cancelled),
        (Ready, Transition::Enqueue) | (Leased | Executing, Transition::Return) => Next::To(Queued),
        (Leased | Executing, Transition::End(end)) if end.is_terminal() => Next::To(end),
        (Ready | Queued, Transition::Cancel) => Next::To(Cancelled),
        (Succeeded | Failed | Cancelled, Transition::Rerun) => Next::To(Ready),
        (Leased | Executing, Transition::Cancel) if !cancelling => Next::Remember,
        (Executing, Transition::Start)
        | (Leased | Executing | Succeeded | Failed | Cancelled, Transition::Cancel) => Next::Same,
        _ => Next::Illegal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AgendaState::{Cancelled, Executing, Failed, Leased, Queued, Ready, Succeeded};

    const STATES: [AgendaState; 7] = [Ready, Queued, Leased, Executing, Succeeded, Failed, Cancelled];
    const STEPS: [Transition; 8] = [
        Transition::Enqueue,
        Transition::Lease,
        Transition::Start,
        Transition::Return,
        Transition::Cancel,
        Transition::End(Succeeded),
        Transition::End(Failed),
        Transition::End(Cancelled),
    ];

    #[test]
    fn a_terminal_state_is_left_only_to_run_again() {
        for state in STATES.into_iter().filter(|s| s.is_terminal()) {
            for step in STEPS {
                assert!(matches!(next(state, false, step), Next::Same | Next::Illegal), "{state:?} {step:?}");
            }
            assert_eq!(next(state, false, Transition::Rerun), Next::To(Ready));
        }
        for state in STATES.into_iter().filter(|s| !s.is_terminal()) {
            assert_eq!(next(state, false, Transition::Rerun), Next::Illegal);
        }
    }

    #[test]
    fn every_live_state_has_a_way_to_an_end() {
        for state in STATES.into_iter().filter(|s| !s.is_terminal()) {
            let cancelled = next(state, false, Transition::Cancel);
            assert!(matches!(cancelled, Next::To(Cancelled) | Next::Remember), "{state:?}");
        }
    }

    #[test]
    fn a_remembered_cancel_wins_over_a_return() {
        assert_eq!(next(Executing, true, Transition::Return), Next::To(Cancelled));
        assert_eq!(next(Executing, false, Transition::Return), Next::To(Queued));
    }

    #[test]
    fn an_end_must_be_an_end() {
        assert_eq!(next(Executing, false, Transition::End(Queued)), Next::Illegal);
    }
}
