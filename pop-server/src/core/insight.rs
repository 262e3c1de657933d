//! Chooses the insight of an agenda: mappers, allowed customers, the order of the insights, and the reason for a
//! mismatch. The queue of an insight lives in the scheduler.

use std::collections::HashSet;

use pop_compiler::agenda::{Agenda, keys};
use serde_json::Value;

use super::record::Insight;
use crate::ids::{CustomerId, InsightId};

/// The mappers' names in settings.
const MAPPERS: [&str; 4] = ["any", "operationName", "operationType", "paramMap"];

/// The properties of an agenda that mappers compare, in lower case; computed once for an agenda.
#[derive(Clone, Debug, Default)]
pub(super) struct Features {
    names: HashSet<String>,
    kinds: HashSet<String>,
    params: HashSet<(String, String)>,
    default_insight: Option<String>,
}

impl Features {
    pub(super) fn of(agenda: &Agenda) -> Self {
        let params = agenda.operations.iter().flat_map(|o| &o.params).chain(&agenda.params);
        Self {
            names: agenda.operations.iter().map(|o| o.name.to_lowercase()).collect(),
            kinds: agenda.operations.iter().map(|o| o.kind.to_lowercase()).collect(),
            params: params.filter_map(|(k, v)| Some((k.to_lowercase(), scalar(v)?.to_lowercase()))).collect(),
            default_insight: agenda
                .params
                .get(keys::DEFAULT_INSIGHT)
                .and_then(scalar)
                .map(|v| v.to_lowercase()),
        }
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// The insight that takes the agenda, or each tried insight with the reason for its mismatch.
///
/// Insights are tried by priority, highest first, then by id. The agenda's `defaultInsight` (an id or a title) chooses
/// among the matching insights. If `defaultInsight` names none of them, the first match wins.
pub(super) fn select<'a>(
    features: &Features,
    customer: &CustomerId,
    insights: impl Iterator<Item = &'a Insight>,
) -> Result<&'a Insight, Vec<(InsightId, String)>> {
    let mut candidates: Vec<&Insight> = insights.collect();
    candidates.sort_by(|a, b| b.priority.cmp(&a.priority).then_with(|| a.id.cmp(&b.id)));
    let mut first = None;
    let mut tried = Vec::new();
    for insight in candidates {
        match mismatch(features, customer, insight) {
            Some(why) => tried.push((InsightId::from(insight.id.as_str()), why)),
            None => match &features.default_insight {
                Some(wanted) if !is_named(insight, wanted) => first = first.or(Some(insight)),
                _ => return Ok(insight),
            },
        }
    }
    first.ok_or(tried)
}

fn is_named(insight: &Insight, wanted: &str) -> bool {
    insight.id.to_lowercase() == wanted || insight.title.as_ref().is_some_and(|t| t.to_lowercase() == wanted)
}

/// The reason why the insight does not take the agenda.
fn mismatch(features: &Features, customer: &CustomerId, insight: &Insight) -> Option<String> {
    if !insight.allowed_customers.is_empty()
        && !insight.allowed_customers.iter().any(|c| c == customer.as_str())
    {
        return Some(format!("customer `{customer}` is not in `allowed_customers`"));
    }
    if insight.mappers.is_empty() {
        return Some("the insight has no mapper".to_owned());
    }
    let mut reasons = Vec::new();
    for (mapper, values) in &insight.mappers {
        let matches = match mapper.to_lowercase().as_str() {
            "any" => true,
            "operationname" => values.iter().any(|v| features.names.contains(&v.to_lowercase())),
            "operationtype" => values.iter().any(|v| features.kinds.contains(&v.to_lowercase())),
            "parammap" => {
                values.iter().filter_map(|v| split_pair(v)).any(|pair| features.params.contains(&pair))
            }
            _ => false,
        };
        if matches {
            return None;
        }
        let listed = values.iter().map(|v| format!("`{v}`")).collect::<Vec<_>>().join(", ");
        let values = if values.is_empty() { "without values" } else { &listed };
        reasons.push(match mapper.to_lowercase().as_str() {
            "operationname" => format!("no operation is named {values}"),
            "operationtype" => format!("no operation has the type {values}"),
            "parammap" => format!("no parameter matches {values}"),
            _ => format!("the mapper `{mapper}` is unknown"),
        });
    }
    Some(reasons.join(", and "))
}

fn split_pair(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once('=')?;
    (!key.is_empty()).then(|| (key.to_lowercase(), value.to_lowercase()))
}

/// Checks the mappers of an insight.
pub(super) fn check_mappers(insight: &Insight) -> Result<(), String> {
    for (mapper, values) in &insight.mappers {
        let Some(known) = MAPPERS.iter().find(|m| m.eq_ignore_ascii_case(mapper)) else {
            return Err(format!("unknown mapper `{mapper}`; use one of {}", MAPPERS.join(", ")));
        };
        if *known == "any" && !values.is_empty() {
            return Err("mapper `any` matches every agenda and cannot have values. Use []".to_owned());
        }
        if *known != "any" && values.is_empty() {
            return Err(format!("mapper `{mapper}` has no values and never matches. Add at least one value"));
        }
        for value in values {
            let bad_pair = *known == "paramMap"
                && value
                    .split_once('=')
                    .is_none_or(|(key, value)| key.trim().is_empty() || value.trim().is_empty());
            if bad_pair {
                return Err(format!("invalid value `{value}` of paramMap: use pairs such as `tier=gold`"));
            }
            if value.trim().is_empty() {
                return Err(format!("empty value in mapper `{mapper}`. Remove the value, or fill it in"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use pop_compiler::agenda::Operation;
    use serde_json::json;

    use super::*;

    fn agenda(params: &Value) -> Features {
        let params = params.as_object().unwrap().clone();
        let operation =
            Operation { name: "Probe".into(), kind: "media.probe".into(), ..Operation::default() };
        Features::of(&Agenda { params, operations: vec![operation].into(), ..Agenda::default() })
    }

    fn insight(id: &str, priority: i64, mapper: &str, values: &[&str]) -> Insight {
        let mappers = BTreeMap::from([(mapper.to_owned(), values.iter().map(|v| (*v).to_owned()).collect())]);
        Insight { id: id.into(), title: Some(format!("The {id}")), priority, mappers, ..Insight::default() }
    }

    fn chosen<'a>(features: &Features, insights: &'a [Insight]) -> Option<&'a str> {
        select(features, &CustomerId::from("acme"), insights.iter()).ok().map(|i| i.id.as_str())
    }

    #[test]
    fn mappers_match_whatever_the_case() {
        let plain = agenda(&json!({ "myparam": "myvalue", "n": 3 }));
        for (mapper, value, matches) in [
            ("operationType", "MEDIA.probe", true),
            ("operationType", "Probe", false),
            ("OPERATIONNAME", "probe", true),
            ("operationName", "media.probe", false),
            ("paramMap", "myparam=mYvalue", true),
            ("paramMap", "other=myvalue", false),
            ("paramMap", "n=3", true),
            ("paramMap", "k=", false),
        ] {
            let insights = [insight("i", 0, mapper, &[value])];
            assert_eq!(chosen(&plain, &insights).is_some(), matches, "{mapper} {value}");
        }
        assert_eq!(chosen(&plain, &[insight("i", 0, "operationType", &[])]), None);
        assert_eq!(chosen(&plain, &[insight("i", 0, "any", &[])]), Some("i"));
    }

    #[test]
    fn priority_then_id_decide() {
        let insights =
            [insight("b", 0, "any", &[]), insight("a", 0, "any", &[]), insight("z", 1, "any", &[])];
        assert_eq!(chosen(&agenda(&json!({})), &insights), Some("z"));
        assert_eq!(chosen(&agenda(&json!({})), &insights[..2]), Some("a"));
    }

    #[test]
    fn the_default_insight_chooses_among_matches() {
        let insights = [
            insight("a", 0, "any", &[]),
            insight("b", 0, "any", &[]),
            insight("c", 0, "operationName", &["x"]),
        ];
        for (wanted, expected) in [("b", "b"), ("the B", "b"), ("nobody", "a"), ("c", "a")] {
            assert_eq!(chosen(&agenda(&json!({ "defaultInsight": wanted })), &insights), Some(expected));
        }
    }

    #[test]
    fn no_match_says_why_for_each() {
        let mut closed = insight("closed", 5, "any", &[]);
        closed.allowed_customers = vec!["other".into()];
        let insights = [insight("types", 0, "operationType", &["a", "b"]), closed];
        let tried = select(&agenda(&json!({})), &CustomerId::from("acme"), insights.iter()).unwrap_err();
        let text: Vec<String> = tried.iter().map(|(id, why)| format!("{id}: {why}")).collect();
        assert_eq!(
            text,
            [
                "closed: customer `acme` is not in `allowed_customers`",
                "types: no operation has the type `a`, `b`"
            ]
        );
    }

    #[test]
    fn bad_mappers_are_refused() {
        for (mapper, values, ok) in [
            ("any", &[][..], true),
            ("any", &["x"][..], false),
            ("paramMap", &["k=v"][..], true),
            ("paramMap", &["k="][..], false),
            ("paramMap", &["=v"][..], false),
            ("paramMap", &["kv"][..], false),
            ("operationtype", &["a"][..], true),
            ("operationType", &[][..], false),
            ("operationTyp", &["a"][..], false),
        ] {
            assert_eq!(check_mappers(&insight("i", 0, mapper, values)).is_ok(), ok, "{mapper} {values:?}");
        }
    }
}
