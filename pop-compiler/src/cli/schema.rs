//! `popc schema`.

use super::{CLEAN, Language, Output, Schema};
use crate::{canonical, language_schema};

pub(super) fn run(args: &Schema, output: &mut Output<'_>) -> anyhow::Result<u8> {
    let schema = match args.of {
        Language::Workflow => language_schema::workflow(),
        Language::Catalog => language_schema::catalog(),
    };
    write!(output.out, "{}", canonical::pretty(&schema))?;
    Ok(CLEAN)
}
