//! The reading statements, one function for each read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use serde::de::DeserializeOwned;

use super::row::{self, AGENDA_COLUMNS, AGENDA_WIDTH, OPERATION_COLUMNS, OPERATION_WIDTH};
use super::seal::Seal;
use crate::core::access::Scope;
use crate::core::record::{
    AgendaState, Event, LiveRow, LogChunk, OperationName, OperationRow, Setting, Snapshot, TemplateHeader,
};
use crate::ids::{AgendaId, AgendaNo, CustomerId, InsightId};
use crate::store::document::Listed;
use crate::store::{Filter, Kind, Record, StoreError};

type Operations = Vec<(OperationName, Option<OperationRow>)>;

/// Everything about live agendas, and all settings.
pub(super) fn load(c: &Connection, seal: &Seal) -> Result<Snapshot, StoreError> {
    let mut snapshot = Snapshot {
        customers: all(c, Kind::Customer)?,
        pools: all(c, Kind::Pool)?,
        insights: all(c, Kind::Insight)?,
        templates: all_templates(c)?,
        last_no: AgendaNo(c.query_row("SELECT coalesce(max(no), 0) FROM agendas", [], |r| r.get(0))?),
        ..Snapshot::default()
    };
    let mut statement = c.prepare("SELECT insight, key, value FROM policy_rows")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let insight = InsightId::from(row.get::<_, String>(0)?);
        snapshot.policies.entry(insight).or_default().insert(row.get(1)?, row.get(2)?);
    }

    let mut changed: BTreeMap<AgendaNo, Vec<OperationRow>> = BTreeMap::new();
    let mut statement = c.prepare(&format!(
        "SELECT {OPERATION_COLUMNS} FROM operations \
         WHERE no IN (SELECT no FROM agendas WHERE ended_at IS NULL) ORDER BY no, position"
    ))?;
    let mut rows = statement.query([])?;
    while let Some(r) = rows.next()? {
        let operation = row::operation(r)?;
        changed.entry(operation.agenda).or_default().push(operation);
    }

    let mut made: BTreeMap<AgendaNo, Vec<OperationName>> = BTreeMap::new();
    let mut statement = c.prepare(
        "SELECT no, name, kind FROM made WHERE no IN (SELECT no FROM agendas WHERE ended_at IS NULL) \
         ORDER BY no, position",
    )?;
    let mut rows = statement.query([])?;
    while let Some(r) = rows.next()? {
        let name = OperationName { name: r.get(1)?, kind: r.get(2)? };
        made.entry(AgendaNo(r.get(0)?)).or_default().push(name);
    }

    let mut statement = c.prepare(&format!(
        "SELECT {AGENDA_COLUMNS}, (SELECT operations FROM bodies WHERE bodies.no = agendas.no), \
         (SELECT key FROM keys WHERE keys.no = agendas.no) \
         FROM agendas WHERE ended_at IS NULL ORDER BY no"
    ))?;
    let mut rows = statement.query([])?;
    while let Some(r) = rows.next()? {
        let Record { header, row, .. } = row::agenda(r, seal)?;
        let mut operations = names(&r.get::<_, String>(AGENDA_WIDTH)?)?;
        operations.extend(made.remove(&header.no).unwrap_or_default());
        let changed = changed.remove(&header.no).unwrap_or_default();
        snapshot.live.push(LiveRow {
            header,
            row,
            operations,
            changed,
            idempotency_key: r.get(AGENDA_WIDTH + 1)?,
        });
    }
    Ok(snapshot)
}

fn all<T: DeserializeOwned>(c: &Connection, kind: Kind) -> Result<Vec<T>, StoreError> {
    let mut statement = c.prepare("SELECT body FROM settings WHERE kind = ?1 ORDER BY id")?;
    let mut rows = statement.query([kind.as_str()])?;
    let mut items = Vec::new();
    while let Some(r) = rows.next()? {
        items.push(row::json(&r.get::<_, String>(0)?, kind.as_str())?);
    }
    Ok(items)
}

/// One agenda in the form of [`load`], also after its end.
pub(super) fn live(c: &Connection, seal: &Seal, id: &AgendaId) -> Result<Option<LiveRow>, StoreError> {
    // The transaction gives all reads one view; a commit between two reads would mix two states.
    let transaction = c.unchecked_transaction()?;
    let Some(Record { header, row, .. }) = agenda(&transaction, seal, id)? else { return Ok(None) };
    let (mut operations, mut changed) = (Vec::new(), Vec::new());
    for (name, row) in self::operations(&transaction, seal, header.no)? {
        operations.push(name);
        changed.extend(row.map(|row| OperationRow { output: None, ..row }));
    }
    let mut statement = transaction.prepare_cached("SELECT key FROM keys WHERE no = ?1")?;
    let idempotency_key = statement.query_row([header.no.0], |row| row.get(0)).optional()?;
    Ok(Some(LiveRow { header, row, operations, changed, idempotency_key }))
}

fn names(text: &str) -> Result<Vec<OperationName>, StoreError> {
    let listed: Vec<Listed> = row::json(text, "operations")?;
    Ok(listed.into_iter().map(|Listed(name)| name).collect())
}

pub(super) fn agenda(c: &Connection, seal: &Seal, id: &AgendaId) -> Result<Option<Record>, StoreError> {
    let mut statement = c.prepare_cached(&format!("SELECT {AGENDA_COLUMNS} FROM agendas WHERE id = ?1"))?;
    let mut rows = statement.query([id.as_str()])?;
    rows.next()?.map(|row| row::agenda(row, seal)).transpose()
}

/// The SQL condition for a scope, and its value. One customer uses an index of its own.
fn customers(scope: &Scope) -> (Option<String>, &'static str) {
    match scope {
        Scope::All => (None, ""),
        Scope::Customers(customers) if customers.len() == 1 => {
            (customers.first().map(ToString::to_string), "customer = ?")
        }
        Scope::Customers(customers) => {
            let names: Vec<&str> = customers.iter().map(CustomerId::as_str).collect();
            let list = serde_json::Value::from(names).to_string();
            (Some(list), "customer IN (SELECT value FROM json_each(?))")
        }
    }
}

pub(super) fn agendas(c: &Connection, seal: &Seal, filter: &Filter) -> Result<Vec<Record>, StoreError> {
    let before = filter.before.map_or(i64::MAX, |no| i64::try_from(no.0).unwrap_or(i64::MAX));
    let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
    let state = filter.state.map(AgendaState::as_str);
    let (customers, within) = customers(&filter.scope);
    let optional: [(&str, Option<&dyn ToSql>); 3] = [
        (within, customers.as_ref().map(|v| v as &dyn ToSql)),
        ("state = ?", state.as_ref().map(|v| v as &dyn ToSql)),
        ("link = ?", filter.link.as_ref().map(|v| v as &dyn ToSql)),
    ];
    let mut sql = format!("SELECT {AGENDA_COLUMNS} FROM agendas WHERE no < ?1");
    let mut values: Vec<&dyn ToSql> = vec![&before, &limit];
    for (condition, value) in optional {
        if let Some(value) = value {
            values.push(value);
            let condition = condition.replace('?', &format!("?{}", values.len()));
            // Writing to a `String` cannot fail.
            let _ = write!(sql, " AND {condition}");
        }
    }
    sql.push_str(" ORDER BY no DESC LIMIT ?2");
    let mut statement = c.prepare_cached(&sql)?;
    let mut rows = statement.query(values.as_slice())?;
    let mut items = Vec::new();
    while let Some(r) = rows.next()? {
        items.push(row::agenda(r, seal)?);
    }
    Ok(items)
}

pub(super) fn operations(c: &Connection, seal: &Seal, agenda: AgendaNo) -> Result<Operations, StoreError> {
    let mut statement = c.prepare_cached("SELECT operations FROM bodies WHERE no = ?1")?;
    let text: Option<String> = statement.query_row([agenda.0], |row| row.get(0)).optional()?;
    let Some(text) = text else { return Ok(Vec::new()) };
    let mut items: Operations = names(&text)?.into_iter().map(|name| (name, None)).collect();
    let mut statement = c.prepare_cached("SELECT name, kind FROM made WHERE no = ?1 ORDER BY position")?;
    let mut rows = statement.query([agenda.0])?;
    while let Some(r) = rows.next()? {
        items.push((OperationName { name: r.get(0)?, kind: r.get(1)? }, None));
    }
    let mut statement = c.prepare_cached(&format!(
        "SELECT {OPERATION_COLUMNS}, outputs.body FROM operations \
         LEFT JOIN outputs ON outputs.no = operations.no AND outputs.position = operations.position \
         WHERE operations.no = ?1"
    ))?;
    let mut rows = statement.query([agenda.0])?;
    while let Some(r) = rows.next()? {
        let mut operation = row::operation(r)?;
        operation.output = match r.get_ref(OPERATION_WIDTH)? {
            ValueRef::Null => None,
            output => Some(row::json(&seal.unseal(agenda, output)?, "output")?),
        };
        if let Some((_, slot)) = items.get_mut(operation.position as usize) {
            *slot = Some(operation);
        }
    }
    Ok(items)
}

pub(super) fn body(c: &Connection, seal: &Seal, agenda: AgendaNo) -> Result<Option<String>, StoreError> {
    Ok(texts(c, seal, agenda, "SELECT body FROM bodies WHERE no = ?1")?.pop())
}

pub(super) fn generated(c: &Connection, seal: &Seal, agenda: AgendaNo) -> Result<Vec<String>, StoreError> {
    texts(c, seal, agenda, "SELECT body FROM made WHERE no = ?1 ORDER BY position")
}

fn texts(c: &Connection, seal: &Seal, agenda: AgendaNo, sql: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = c.prepare_cached(sql)?;
    let mut rows = statement.query([agenda.0])?;
    let mut texts = Vec::new();
    while let Some(row) = rows.next()? {
        texts.push(seal.unseal(agenda, row.get_ref(0)?)?);
    }
    Ok(texts)
}

pub(super) fn by_key(
    c: &Connection,
    customer: &CustomerId,
    key: &str,
) -> Result<Option<AgendaId>, StoreError> {
    let mut statement = c.prepare_cached(
        "SELECT id FROM keys JOIN agendas ON agendas.no = keys.no WHERE keys.customer = ?1 AND key = ?2",
    )?;
    let id: Option<String> = statement.query_row([customer.as_str(), key], |row| row.get(0)).optional()?;
    Ok(id.map(AgendaId::from))
}

pub(super) fn events(
    c: &Connection,
    agenda: AgendaNo,
    after: u64,
    limit: usize,
) -> Result<Vec<Event>, StoreError> {
    let mut statement =
        c.prepare_cached("SELECT seq, body FROM events WHERE no = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3")?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![agenda.0, after, limit])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        let event: Event = row::json(&row.get::<_, String>(1)?, "event")?;
        items.push(Event { seq: row.get(0)?, ..event });
    }
    Ok(items)
}

pub(super) fn logs(
    c: &Connection,
    agenda: AgendaNo,
    operation: Option<&str>,
    after: i64,
    limit: usize,
) -> Result<Vec<(i64, LogChunk)>, StoreError> {
    let mut statement = c.prepare_cached(
        "SELECT id, operation, attempt, stream, start, body FROM logs \
         WHERE no = ?1 AND id > ?2 AND (?3 IS NULL OR operation = ?3) ORDER BY id LIMIT ?4",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![agenda.0, after, operation, limit])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        let chunk = LogChunk {
            operation: row.get(1)?,
            attempt: row.get(2)?,
            stream: row.get(3)?,
            offset: row.get(4)?,
            text: row.get(5)?,
        };
        items.push((row.get(0)?, chunk));
    }
    Ok(items)
}

pub(super) fn settings(
    c: &Connection,
    kind: Kind,
    after: &str,
    limit: usize,
) -> Result<Vec<Setting>, StoreError> {
    let mut statement =
        c.prepare_cached("SELECT body FROM settings WHERE kind = ?1 AND id > ?2 ORDER BY id LIMIT ?3")?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![kind.as_str(), after, limit])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(as_setting(kind, &row.get::<_, String>(0)?)?);
    }
    Ok(items)
}

fn as_setting(kind: Kind, text: &str) -> Result<Setting, StoreError> {
    Ok(match kind {
        Kind::Customer => Setting::Customer(row::json(text, kind.as_str())?),
        Kind::Pool => Setting::Pool(row::json(text, kind.as_str())?),
        Kind::Insight => Setting::Insight(row::json(text, kind.as_str())?),
    })
}

pub(super) fn setting(c: &Connection, kind: Kind, id: &str) -> Result<Option<Setting>, StoreError> {
    let mut statement = c.prepare_cached("SELECT body FROM settings WHERE kind = ?1 AND id = ?2")?;
    let text: Option<String> = statement.query_row([kind.as_str(), id], |row| row.get(0)).optional()?;
    text.map(|text| as_setting(kind, &text)).transpose()
}

pub(super) fn templates(
    c: &Connection,
    customer: Option<&CustomerId>,
    after: &str,
    limit: usize,
) -> Result<Vec<TemplateHeader>, StoreError> {
    let mut statement = c.prepare_cached(
        "SELECT customer, view FROM templates WHERE customer = ?1 AND name > ?2 ORDER BY name LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    template_headers(statement.query(params![owner(customer), after, limit])?)
}

fn all_templates(c: &Connection) -> Result<Vec<TemplateHeader>, StoreError> {
    let mut statement = c.prepare("SELECT customer, view FROM templates ORDER BY customer, name")?;
    template_headers(statement.query([])?)
}

fn template_headers(mut rows: rusqlite::Rows<'_>) -> Result<Vec<TemplateHeader>, StoreError> {
    let mut items = Vec::new();
    while let Some(r) = rows.next()? {
        let customer: String = r.get(0)?;
        let header: TemplateHeader = row::json(&r.get::<_, String>(1)?, "template")?;
        let customer = (!customer.is_empty()).then(|| CustomerId::from(customer));
        items.push(TemplateHeader { customer, ..header });
    }
    Ok(items)
}

pub(super) fn template(
    c: &Connection,
    customer: Option<&CustomerId>,
    name: &str,
) -> Result<Option<String>, StoreError> {
    let mut statement = c.prepare_cached("SELECT body FROM templates WHERE customer = ?1 AND name = ?2")?;
    Ok(statement.query_row([owner(customer), name], |row| row.get(0)).optional()?)
}

/// The value of the column `customer`: empty for things of all customers.
pub(super) fn owner(customer: Option<&CustomerId>) -> &str {
    customer.map_or("", CustomerId::as_str)
}
