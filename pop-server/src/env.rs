//! The program's access to time and random ids. All code takes both from one [`Env`], created at the program's start,
//! so that a simulation can pass its own. `clippy.toml` bans the other ways.

mod clock;
mod random;

use std::sync::Arc;

pub use clock::{Clock, ManualClock, SystemClock, since_boot};
pub use random::{Random, SeededRandom, SystemRandom};
use uuid::Builder;

use crate::ids::AgendaId;

/// Time and randomness for one program.
#[derive(Clone, Debug)]
pub struct Env {
    /// The source of the time.
    pub clock: Arc<dyn Clock>,
    /// The source of random bytes.
    pub random: Arc<dyn Random>,
}

impl Env {
    /// The machine's time and randomness.
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) }
    }

    /// A new id of an agenda: `ag_` and a version 7 UUID without dashes, so that ids sort by time.
    pub fn agenda_id(&self) -> AgendaId {
        AgendaId::from(format!("ag_{}", self.sortable()))
    }

    /// A new id of an instance, one start of an agent.
    pub fn instance(&self) -> String {
        format!("in_{}", self.sortable())
    }

    /// An unguessable secret: 128 random bits in hexadecimal.
    pub fn token(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.bytes()))
    }

    /// A version 7 UUID: milliseconds, then 74 random bits.
    fn sortable(&self) -> String {
        let millis = u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid().simple().to_string()
    }

    fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn seeded(seed: u64) -> Env {
        let clock = ManualClock::new(Timestamp::from_second(1_800_000_000).unwrap());
        Env { clock: Arc::new(clock), random: Arc::new(SeededRandom::new(seed)) }
    }

    #[test]
    fn agenda_ids_are_prefixed_and_unique() {
        let env = Env::system();
        let (a, b) = (env.agenda_id(), env.agenda_id());
        assert_ne!(a, b);
        assert!(a.as_str().starts_with("ag_") && a.as_str().len() == 35);
        assert_ne!(env.token(), env.token());
    }

    #[test]
    fn the_same_seed_and_time_give_the_same_ids() {
        let ids = |env: &Env| (env.agenda_id(), env.instance(), env.token());
        assert_eq!(ids(&seeded(1)), ids(&seeded(1)));
        assert_ne!(ids(&seeded(1)), ids(&seeded(2)));
        assert_ne!(seeded(1).agenda_id(), {
            let env = seeded(1);
            env.agenda_id();
            env.agenda_id()
        });
    }
}
