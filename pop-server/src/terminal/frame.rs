//! The picture: lines of text for an overview, a time and a size. Pure.

use jiff::Timestamp;
use pop_sdk::api::{OperationState, OperationView};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::lines::{length, mark};
use super::overview::{Overview, Row};
use super::safe::one_line;

const BAR: usize = 16;
const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// The lines that show `overview` at `now`, in `width` columns and at most `height` lines (at least two).
pub fn frame(overview: &Overview, now: Timestamp, width: usize, height: usize) -> Vec<String> {
    let mut lines = vec![head(overview, now)];
    let room = height.saturating_sub(2).max(1);
    let body = if overview.rows.len() <= room {
        let indents = indents(&overview.rows);
        overview.rows.iter().zip(&indents).map(|(row, indent)| row_line(row, indent, now)).collect()
    } else {
        grouped(overview, now, room)
    };
    lines.extend(body);
    lines.push(foot(overview));
    lines.iter().map(|line| cut(line, width)).collect()
}

fn head(overview: &Overview, now: Timestamp) -> String {
    format!("{}  {}", one_line(&overview.title), length(overview.since, now))
}

fn foot(overview: &Overview) -> String {
    let total = overview.rows.len();
    let part = if total == 0 { 1.0 } else { overview.ended() as f64 / total as f64 };
    let mut text = format!("{} {}/{total}", bar(part), overview.count(OperationState::Succeeded));
    for (state, word) in [
        (OperationState::Executing, "running"),
        (OperationState::Failed, "failed"),
        (OperationState::Skipped, "skipped"),
        (OperationState::Cancelled, "cancelled"),
    ] {
        if overview.count(state) > 0 {
            text += &format!(", {} {word}", overview.count(state));
        }
    }
    text
}

fn row_line(row: &Row, indent: &str, now: Timestamp) -> String {
    let view = &row.view;
    let name = one_line(&view.name);
    let tail = match view.state {
        OperationState::Executing => {
            let since = view.started_at.map(|s| length(s, now)).unwrap_or_default();
            let said = view.message.as_deref().map(|m| format!("  {}", one_line(m))).unwrap_or_default();
            format!("{} {since}{said}", bar(view.percent / 100.0))
        }
        OperationState::Ready if view.failure.is_some() => {
            format!("attempt {} failed, retrying: {}", view.attempt, reason(view))
        }
        OperationState::Failed => reason(view),
        OperationState::Ready => view.message.as_deref().map(one_line).unwrap_or_default(),
        OperationState::Succeeded | OperationState::Cancelled => took(view),
        OperationState::Skipped => {
            view.failure.as_ref().map_or("condition was false".into(), |_| reason(view))
        }
        _ => String::new(),
    };
    format!("{indent}{} {name}  {tail}", icon(view, now)).trim_end().to_owned()
}

fn reason(view: &OperationView) -> String {
    view.failure.as_ref().map(|f| one_line(&f.message)).unwrap_or_default()
}

fn took(view: &OperationView) -> String {
    match (view.started_at, view.ended_at) {
        (Some(start), Some(end)) => length(start, end),
        _ => String::new(),
    }
}

fn icon(view: &OperationView, now: Timestamp) -> &'static str {
    if view.state == OperationState::Executing {
        let tick = usize::try_from(now.as_millisecond() / 100).unwrap_or(0);
        return SPINNER[tick % SPINNER.len()];
    }
    mark(view.state)
}

/// Box-drawing prefixes, computed from the last row to the first: a branch continues while later rows have the same
/// parent.
fn indents(rows: &[Row]) -> Vec<String> {
    let mut indents = vec![String::new(); rows.len()];
    let mut open: Vec<bool> = Vec::new();
    let mut tree_depth = vec![0usize; rows.len()];
    for (i, row) in rows.iter().enumerate() {
        tree_depth[i] = row.parent.map_or(0, |p| tree_depth[p] + 1);
    }
    for i in (0..rows.len()).rev() {
        let depth = tree_depth[i];
        open.resize(depth.max(open.len()) + 1, false);
        // Deeper branches belong to later rows.
        open.truncate(depth + 1);
        let mut text = String::new();
        for (level, &goes_on) in open.iter().enumerate().take(depth + 1).skip(1) {
            text += match (level == depth, goes_on) {
                (true, true) => "├─ ",
                (true, false) => "└─ ",
                (false, true) => "│  ",
                (false, false) => "   ",
            };
        }
        open[depth] = true;
        indents[i] = text;
    }
    indents
}

/// The lines of an overview with too many rows. Operations with the same stem and depth become one line; groups that
/// run or failed come first.
fn grouped(overview: &Overview, now: Timestamp, room: usize) -> Vec<String> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut index = std::collections::HashMap::new();
    for row in &overview.rows {
        let key = (row.depth, stem(&row.view.name));
        let at = *index.entry(key).or_insert_with(|| {
            groups.push(Group { depth: row.depth, stem: key.1, rows: Vec::new() });
            groups.len() - 1
        });
        groups[at].rows.push(row);
    }
    groups.sort_by_key(|g| g.depth);
    let hidden = groups.len().saturating_sub(room);
    if hidden > 0 {
        groups.sort_by_key(|g| (std::cmp::Reverse(g.urgency()), g.depth));
        groups.truncate(room.saturating_sub(1).max(1));
        groups.sort_by_key(|g| g.depth);
    }
    let mut lines: Vec<String> = groups.iter().map(|g| g.line(now)).collect();
    if hidden > 0 {
        lines.push(format!("  … and {} more groups", hidden + 1));
    }
    lines
}

struct Group<'a> {
    depth: usize,
    stem: &'a str,
    rows: Vec<&'a Row>,
}

impl Group<'_> {
    fn count(&self, state: OperationState) -> usize {
        self.rows.iter().filter(|r| r.view.state == state).count()
    }

    fn urgency(&self) -> u8 {
        if self.count(OperationState::Failed) > 0 {
            return 2;
        }
        u8::from(self.count(OperationState::Executing) > 0)
    }

    fn line(&self, now: Timestamp) -> String {
        if let [row] = self.rows.as_slice() {
            return row_line(row, "", now);
        }
        let total = self.rows.len();
        let done = self.rows.iter().filter(|r| r.view.state.is_terminal()).count();
        let (failed, running) = (self.count(OperationState::Failed), self.count(OperationState::Executing));
        let icon = if failed > 0 {
            mark(OperationState::Failed)
        } else if done == total {
            mark(OperationState::Succeeded)
        } else if running > 0 {
            SPINNER[usize::try_from(now.as_millisecond() / 100).unwrap_or(0) % SPINNER.len()]
        } else {
            mark(OperationState::Waiting)
        };
        let mut text = format!(
            "{icon} {}… ×{total}  {} {done}/{total}",
            one_line(self.stem),
            bar(done as f64 / total as f64)
        );
        if running > 0 {
            text += &format!(", {running} running");
        }
        if failed > 0 {
            text += &format!(", {failed} failed");
        }
        text
    }
}

/// A name without its number: `encode.12` → `encode`, `mProject_ID0000012` → `mProject`.
fn stem(name: &str) -> &str {
    let cut = name.trim_end_matches(|c: char| c.is_ascii_digit());
    if cut.len() == name.len() {
        return name;
    }
    let cut = cut.strip_suffix("_ID").unwrap_or(cut).trim_end_matches(['.', '_', '-']);
    if cut.is_empty() { name } else { cut }
}

fn bar(part: f64) -> String {
    let part = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and BAR")]
    let full = (part * BAR as f64).round() as usize;
    format!("{}{}", "━".repeat(full), "╌".repeat(BAR - full))
}

fn cut(line: &str, width: usize) -> String {
    if line.width() <= width {
        return line.to_owned();
    }
    let (mut text, mut taken) = (String::new(), 0);
    for c in line.chars() {
        taken += c.width().unwrap_or(0);
        if taken >= width {
            break;
        }
        text.push(c);
    }
    if width > 0 {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use pop_compiler::agenda::{Agenda, Operation};
    use serde_json::json;

    use super::*;
    use crate::run::Plan;

    fn overview(operations: &[(&str, serde_json::Value)]) -> Overview {
        let operations = operations
            .iter()
            .map(|(name, payload)| Operation {
                name: (*name).into(),
                payload: payload.clone(),
                ..Operation::default()
            })
            .collect();
        let plan = Plan::new(&Agenda { operations, ..Agenda::default() }).unwrap();
        Overview::new("demo".into(), &plan, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn wide_letters_take_two_columns() {
        assert_eq!(cut("視頻編碼", 8), "視頻編碼");
        assert_eq!(cut("視頻編碼", 7), "視頻編…");
        assert_eq!(cut("視頻編碼", 6), "視頻…");
        assert_eq!(cut("e\u{301}tat", 4), "e\u{301}tat", "a combining mark takes none");
        assert_eq!(cut("abc", 0), "");
    }

    fn set(overview: &mut Overview, name: &str, state: OperationState, percent: f64) {
        let view = OperationView {
            name: name.into(),
            state,
            percent,
            attempt: 1,
            started_at: Some(Timestamp::UNIX_EPOCH),
            ended_at: Timestamp::from_second(3).ok(),
            ..OperationView::default()
        };
        overview.update(&view);
    }

    #[test]
    fn a_small_run_is_a_tree() {
        let mut overview = overview(&[
            ("split", json!({})),
            ("count.0", json!("@<split.out>")),
            ("count.1", json!("@<split.out>")),
            ("merge", json!(["@<count.0.out>", "@<count.1.out>"])),
        ]);
        set(&mut overview, "split", OperationState::Succeeded, 100.0);
        set(&mut overview, "count.1", OperationState::Executing, 50.0);
        let lines = frame(&overview, Timestamp::from_second(4).unwrap(), 60, 20);
        insta::assert_snapshot!(lines.join("\n"), @r"
        demo  4.0s
        ✓ split  3.0s
        ├─ · count.0
        │  └─ · merge
        └─ ⠋ count.1  ━━━━━━━━╌╌╌╌╌╌╌╌ 4.0s
        ━━━━╌╌╌╌╌╌╌╌╌╌╌╌ 1/4, 1 running
        ");
    }

    #[test]
    fn what_is_added_hangs_on_its_generator() {
        let promise = json!({"operationsJsonPointer": "", "names": ["part.*"]});
        let operation = |name: &str, payload: serde_json::Value| Operation {
            name: name.into(),
            payload,
            ..Operation::default()
        };
        let mut generator = operation("part.each", json!({}));
        generator.params.insert("agenda.operation.generator".into(), promise);
        let operations =
            vec![generator, operation("join", json!("@<part.*.out>")), operation("other", json!({}))];
        let plan = Plan::new(&Agenda { operations: operations.into(), ..Agenda::default() }).unwrap();
        let mut overview = Overview::new("demo".into(), &plan, Timestamp::UNIX_EPOCH);
        overview.add("part.each", [("part.0", "t"), ("part.1", "t")].into_iter());
        overview.add("part.each", [("part.1", "t"), ("part.2", "t")].into_iter());
        set(&mut overview, "join", OperationState::Succeeded, 100.0);
        set(&mut overview, "other", OperationState::Failed, 0.0);
        set(&mut overview, "part.2", OperationState::Succeeded, 100.0);
        let lines = frame(&overview, Timestamp::from_second(4).unwrap(), 60, 20);
        insta::assert_snapshot!(lines.join("\n"), @r"
        demo  4.0s
        · part.each
        ├─ · part.0
        ├─ · part.1
        ├─ ✓ part.2  3.0s
        └─ ✓ join  3.0s
        ✗ other
        ━━━━━━━━╌╌╌╌╌╌╌╌ 2/6, 1 failed
        ");
    }

    #[test]
    fn what_is_gone_leaves_the_picture() {
        let mut overview = overview(&[("a", json!({})), ("b", json!({})), ("c", json!("@<b.out>"))]);
        overview.add("a", [("a.0", "t"), ("a.1", "t")].into_iter());
        set(&mut overview, "a.0", OperationState::Succeeded, 100.0);
        set(&mut overview, "a.1", OperationState::Failed, 0.0);
        set(&mut overview, "c", OperationState::Succeeded, 100.0);
        overview.remove(&["a.0".to_owned(), "a.1".to_owned(), "unknown".to_owned()]);
        assert_eq!((overview.ended(), overview.count(OperationState::Failed)), (1, 0));
        overview.add("a", [("a.0", "t")].into_iter());
        set(&mut overview, "a.0", OperationState::Failed, 0.0);
        let lines = frame(&overview, Timestamp::from_second(4).unwrap(), 60, 20);
        insta::assert_snapshot!(lines.join("\n"), @r"
        demo  4.0s
        · a
        └─ ✗ a.0
        · b
        └─ ✓ c  3.0s
        ━━━━━━━━╌╌╌╌╌╌╌╌ 1/4, 1 failed
        ");
    }

    #[test]
    fn a_large_run_is_grouped_and_never_taller_than_the_terminal() {
        let names: Vec<String> = (0..300).map(|i| format!("mProject_ID{i:07}")).collect();
        let operations: Vec<_> = names.iter().map(|n| (n.as_str(), json!({}))).collect();
        let mut overview = overview(&operations);
        set(&mut overview, "mProject_ID0000007", OperationState::Failed, 0.0);
        let lines = frame(&overview, Timestamp::from_second(1).unwrap(), 40, 10);
        assert_eq!(lines.len(), 3);
        assert!(lines[1].contains("mProject… ×300"), "{lines:?}");
        assert!(lines.iter().all(|l| l.chars().count() <= 40));
    }

    #[test]
    fn stems_drop_the_number() {
        assert_eq!(stem("encode.12"), "encode");
        assert_eq!(stem("mProject_ID0000012"), "mProject");
        assert_eq!(stem("probe"), "probe");
        assert_eq!(stem("42"), "42");
    }
}
