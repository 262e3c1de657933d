//! Random types, and everything that must be of one mind about them: what is checked, what is compared, what clients are.

#[path = "../../tests/formats/dice.rs"]
#[expect(unreachable_pub, reason = "shared with the tests of other crates")]
mod dice;
#[path = "typed/make.rs"]
mod make;
#[path = "typed/values.rs"]
mod values;
#[path = "typed/versions.rs"]
mod versions;

use proptest::test_runner::{Config, RngSeed};

/// The same cases each time, unless `PROPTEST_RNG_SEED` or `PROPTEST_CASES` ask for others.
fn config(cases: u32) -> Config {
    let config = Config { failure_persistence: None, ..Config::default() };
    let rng_seed = match config.rng_seed {
        RngSeed::Random => RngSeed::Fixed(1),
        fixed @ RngSeed::Fixed(_) => fixed,
    };
    let cases = if config.cases == DEFAULT { cases } else { config.cases };
    Config { cases, rng_seed, ..config }
}

/// How many cases there are where nobody says so.
const DEFAULT: u32 = 256;
