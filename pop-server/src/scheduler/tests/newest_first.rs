//! A policy that is only here to show what one takes: this file, and one line where the scheduler is made.

use crate::scheduler::{Because, Change, Context, Policy, Registration, Taken, Waiting};

pub(super) const REGISTRATION: Registration =
    Registration { name: "newestFirst", about: "Newest first.", start: |_| Box::new(NewestFirst) };

#[derive(Debug)]
struct NewestFirst;

impl Policy for NewestFirst {
    fn on(&mut self, context: &mut Context<'_>, change: Change<'_>, _: &Waiting) {
        // It remembers who had an agenda last, and for how long.
        if let Change::Ended { customer, cost } = change {
            context.rows.put(customer.as_str(), &cost.as_secs().to_string());
        }
    }

    fn take(&mut self, _: &mut Context<'_>, request: usize, waiting: &mut Waiting) -> Vec<Taken> {
        let next = || {
            let agenda = waiting.newest()?;
            let (customer, _) = waiting.remove(agenda)?;
            Some(Taken { agenda, customer, because: Because::Turn })
        };
        std::iter::from_fn(next).take(request).collect()
    }
}
