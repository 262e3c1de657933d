//! What holds for every runtime: a suite that each of them runs.
