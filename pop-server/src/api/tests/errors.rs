//! Each error.
