//! The states of an agenda and the legal moves between them, as one total function. What happens on a move lives
//! elsewhere.

use super::record::AgendaState;

/// Something that can happen to an agenda.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Its turn has come: into the queue.
    Enqueue,
    /// Handed to a pool.
    Lease,
    /// Its first operation (of this lease) starts.
    Start,
    /// The lease is gone.
    Return,
    /// Somebody cancels it.
    Cancel,
    /// The pool reports its end.
    End(AgendaState),
    /// Somebody runs it again.
    Again,
}

/// What a step does to an agenda.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It goes to this state.
    To(AgendaState),
    /// It stays; a cancel is remembered and told to the pool.
    Remember,
    /// Nothing.
    Same,
    /// The step makes no sense here.
    Illegal,
}

/// The table of legal moves. `cancelling`: a cancel is remembered.
pub(crate) fn next(state: AgendaState, cancelling: bool, step: Step) -> Next {
    use AgendaState::{Cancelled, Executing, Failed, Leased, Queued, Ready, Succeeded};
    match (state, step) {
        (Queued, Step::Lease) => Next::To(Leased),
        (Leased, Step::Start) => Next::To(Executing),
        (Leased | Executing, Step::Return) if cancelling => Next::To(Cancelled),
        (Ready, Step::Enqueue) | (Leased | Executing, Step::Return) => Next::To(Queued),
        (Leased | Executing, Step::End(end)) if end.is_terminal() => Next::To(end),
        (Ready | Queued, Step::Cancel) => Next::To(Cancelled),
        (Succeeded | Failed | Cancelled, Step::Again) => Next::To(Ready),
        (Leased | Executing, Step::Cancel) if !cancelling => Next::Remember,
        (Executing, Step::Start) | (Leased | Executing | Succeeded | Failed | Cancelled, Step::Cancel) => {
            Next::Same
        }
        _ => Next::Illegal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AgendaState::{Cancelled, Executing, Failed, Leased, Queued, Ready, Succeeded};

    const STATES: [AgendaState; 7] = [Ready, Queued, Leased, Executing, Succeeded, Failed, Cancelled];
    const STEPS: [Step; 8] = [
        Step::Enqueue,
        Step::Lease,
        Step::Start,
        Step::Return,
        Step::Cancel,
        Step::End(Succeeded),
        Step::End(Failed),
        Step::End(Cancelled),
    ];

    #[test]
    fn a_terminal_state_is_left_only_to_run_again() {
        for state in STATES.into_iter().filter(|s| s.is_terminal()) {
            for step in STEPS {
                assert!(matches!(next(state, false, step), Next::Same | Next::Illegal), "{state:?} {step:?}");
            }
            assert_eq!(next(state, false, Step::Again), Next::To(Ready));
        }
        for state in STATES.into_iter().filter(|s| !s.is_terminal()) {
            assert_eq!(next(state, false, Step::Again), Next::Illegal);
        }
    }

    #[test]
    fn every_live_state_has_a_way_to_an_end() {
        for state in STATES.into_iter().filter(|s| !s.is_terminal()) {
            let cancelled = next(state, false, Step::Cancel);
            assert!(matches!(cancelled, Next::To(Cancelled) | Next::Remember), "{state:?}");
        }
    }

    #[test]
    fn a_remembered_cancel_wins_over_a_return() {
        assert_eq!(next(Executing, true, Step::Return), Next::To(Cancelled));
        assert_eq!(next(Executing, false, Step::Return), Next::To(Queued));
    }

    #[test]
    fn an_end_must_be_an_end() {
        assert_eq!(next(Executing, false, Step::End(Queued)), Next::Illegal);
    }
}
