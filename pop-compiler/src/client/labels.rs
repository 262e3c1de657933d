//! What the types of a workflow are called. No order decides: where two parts would have one name, both take in what they
//! are a part of, so a new part never takes over a name that stands for another.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::names::{Clash, apart, clashes, pascal};

/// What to do where two types would be one.
const ADVICE: &str = "Rename one of them, or name its type in `[types]`.";

/// Where a type comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    /// From the side (`Inputs` or `Outputs`) down to the type.
    pub(super) path: Vec<String>,
    /// Whether a person named it; if not, it is called after its place.
    pub(super) given: bool,
}

impl Label {
    /// The name that takes in this many of the last parts of the path.
    fn name(&self, parts: usize, reserved: &[&str]) -> String {
        let from = self.path.len().saturating_sub(parts);
        apart(self.path[from..].iter().map(|part| pascal(part)).collect(), reserved)
    }
}

/// The name of each type, and those that are the same all the same.
pub(super) fn names(labels: &[Label], reserved: &[&str]) -> (Vec<String>, Vec<Clash>) {
    let mut parts = vec![1; labels.len()];
    let mut sides: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    for label in labels.iter().filter(|label| label.given) {
        if let (Some(side), Some(name)) = (label.path.first(), label.path.last()) {
            sides.entry(name).or_default().insert(side);
        }
    }
    let mut wanted: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, label) in labels.iter().enumerate() {
        // One name that means two things is told apart by the side.
        let name = label.path.last().map_or("", String::as_str);
        if label.given && sides.get(name).is_some_and(|sides| sides.len() > 1) {
            parts[index] = 2;
        }
        wanted.entry(label.name(parts[index], reserved)).or_default().push(index);
    }
    let mut open: BTreeSet<String> = wanted.keys().cloned().collect();
    // A name that several wanted, or that was given, goes to none that can be called otherwise, even when it is free again.
    let given = labels.iter().filter(|label| label.given);
    let mut left: HashSet<String> = given.map(|label| label.name(1, reserved)).collect();
    while !open.is_empty() {
        let mut moved = Vec::new();
        for name in std::mem::take(&mut open) {
            let Some(those) = wanted.get_mut(&name) else { continue };
            if those.len() < 2 && !name.ends_with('_') && !left.contains(&name) {
                continue;
            }
            let can = |index: &usize| !labels[*index].given && parts[*index] < labels[*index].path.len();
            moved.extend(those.iter().copied().filter(can));
            those.retain(|index| !can(index));
            left.insert(name);
        }
        for index in moved {
            parts[index] += 1;
            let name = labels[index].name(parts[index], reserved);
            wanted.entry(name.clone()).or_default().push(index);
            open.insert(name);
        }
    }
    let names: Vec<String> =
        labels.iter().zip(&parts).map(|(label, parts)| label.name(*parts, reserved)).collect();
    let place = |label: &Label| match label.path.last() {
        Some(name) if label.given => name.clone(),
        _ => label.path.join("."),
    };
    let places: Vec<String> = labels.iter().map(place).collect();
    let clashes =
        clashes(("types", None), ADVICE, places.iter().map(String::as_str).zip(names.iter().cloned()));
    (names, clashes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(path: &str) -> Label {
        Label { path: path.split('.').map(str::to_owned).collect(), given: false }
    }

    fn given(path: &str) -> Label {
        Label { given: true, ..part(path) }
    }

    fn called(labels: &[Label]) -> Vec<String> {
        let (called, clashes) = names(labels, &["Client"]);
        assert_eq!(clashes, []);
        called
    }

    #[test]
    fn what_is_a_part_takes_in_its_place_where_it_must() {
        assert_eq!(called(&[part("Inputs.video"), part("Inputs.video.tags")]), ["Video", "Tags"]);
        assert_eq!(
            called(&[part("Inputs.video.tags"), part("Inputs.audio.tags")]),
            ["VideoTags", "AudioTags"]
        );
        assert_eq!(
            called(&[part("Inputs.x.y.tags"), part("Outputs.x.y.tags"), part("Outputs.z_tags")]),
            ["InputsXYTags", "OutputsXYTags", "ZTags"]
        );
        // nobody gets the short name that two have wanted
        assert_eq!(
            called(&[part("Inputs.a.b_c"), part("Inputs.d.b_c"), part("Inputs.b.c"), part("Inputs.e.c")]),
            ["ABC", "DBC", "InputsBC", "EC"]
        );
    }

    #[test]
    fn a_name_that_was_given_stays() {
        assert_eq!(called(&[part("Inputs.tags"), given("Inputs.Tags")]), ["InputsTags", "Tags"]);
        assert_eq!(called(&[given("Inputs.Rung"), given("Outputs.Rung")]), ["InputsRung", "OutputsRung"]);
        assert_eq!(called(&[given("Inputs.Client"), part("Outputs.client")]), ["Client_", "OutputsClient"]);
    }

    #[test]
    fn those_that_are_the_same_all_the_same_clash() {
        let (_, found) = names(&[given("Inputs.A_b"), given("Outputs.aB")], &[]);
        assert_eq!(
            found.iter().map(Clash::to_string).collect::<Vec<_>>(),
            ["the types `A_b` and `aB` both become `AB`. Rename one of them, or name its type in `[types]`."]
        );
        let (_, found) = names(&[given("Inputs.R"), part("Inputs.r"), given("Outputs.R")], &[]);
        assert_eq!(found[0].name, "InputsR");
        let (_, found) = names(&[part("Inputs.a-1"), part("Inputs.a1")], &[]);
        assert_eq!(found[0].names, ["Inputs.a-1", "Inputs.a1"]);
    }

    fn any_label() -> impl Strategy<Value = Label> {
        let name =
            || prop::sample::select(vec!["a", "A", "b", "a-b", "aB", "ab", "b-1", "b1", "client", "Client"]);
        let path = prop::collection::vec(name(), 1..4);
        (any::<bool>(), prop::sample::select(vec!["Inputs", "Outputs"]), path, name()).prop_map(
            |(given, side, path, name)| {
                let path = if given { vec![name] } else { path };
                Label { path: std::iter::once(side).chain(path).map(str::to_owned).collect(), given }
            },
        )
    }

    proptest! {
        #[test]
        fn a_further_type_never_takes_the_name_of_another(
            mut labels in prop::collection::vec(any_label(), 0..8),
            further in any_label(),
        ) {
            labels.sort_by(|a, b| (&a.path, a.given).cmp(&(&b.path, b.given)));
            labels.dedup();
            prop_assume!(!labels.contains(&further));
            let (before, found) = names(&labels, &["Client"]);
            prop_assume!(found.is_empty());
            labels.push(further.clone());
            let (after, found) = names(&labels, &["Client"]);
            if found.is_empty() {
                for (at, name) in after.iter().enumerate() {
                    let same = before.iter().position(|known| known == name).is_none_or(|known| known == at);
                    // a name that a person gives is theirs
                    prop_assert!(same || (further.given && at == before.len()), "{name}: {labels:?} {before:?} {after:?}");
                }
            }
            let mut turned: Vec<Label> = labels.clone();
            turned.reverse();
            let (mut again, _) = names(&turned, &["Client"]);
            again.reverse();
            prop_assert_eq!(after, again);
        }
    }
}
