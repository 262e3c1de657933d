//! A policy that shows the cost of a new one: this file, and one line in the table of policies.

use crate::scheduler::{Because, Change, Context, Policy, Registration, Taken, Waiting};

pub(super) const REGISTRATION: Registration =
    Registration { name: "newestFirst", about: "Newest first.", start: |_| Box::new(NewestFirst) };

#[derive(Debug)]
struct NewestFirst;

impl Policy for NewestFirst {
    fn on(&mut self, context: &mut Context<'_>, change: Change<'_>, _: &Waiting) {
        // The policy stores the last customer of a pool, and the time of its agenda.
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
