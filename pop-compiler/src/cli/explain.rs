//! `popc explain`.

use anyhow::bail;

use super::{CLEAN, Explain, Output};
use crate::{rules, suggest};

pub(super) fn run(args: &Explain, output: &mut Output<'_>) -> anyhow::Result<u8> {
    let Some(id) = &args.rule else {
        for rule in rules::ALL.iter().chain(rules::AGENDA_RULES) {
            writeln!(output.out, "{:24} {:8} {}", rule.id, rule.severity.as_str(), rule.summary)?;
        }
        return Ok(CLEAN);
    };
    let Some(rule) = rules::explained(id) else {
        match suggest::closest(id, rules::ALL.iter().chain(rules::AGENDA_RULES).map(|r| r.id)) {
            Some(near) => bail!("unknown rule `{id}`; did you mean `{near}`?"),
            None => bail!("unknown rule `{id}`; `popc explain` lists all rules"),
        }
    };
    writeln!(
        output.out,
        "{} ({}): {}\n\n{}\n",
        rule.id,
        rule.severity.as_str(),
        rule.summary,
        rule.explanation
    )?;
    if rule.bad.is_empty() {
        return Ok(CLEAN);
    }
    writeln!(output.out, "Bad:\n\n{}\nGood:\n\n{}", indent(rule.bad), indent(rule.good))?;
    Ok(CLEAN)
}

fn indent(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
}
