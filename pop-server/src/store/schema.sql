CREATE TABLE settings (
    kind TEXT NOT NULL,
    id   TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;

-- Customers whose turn in the current round of an insight is over.
CREATE TABLE turns (
    insight  TEXT NOT NULL,
    customer TEXT NOT NULL,
    PRIMARY KEY (insight, customer)
) WITHOUT ROWID;
CREATE INDEX turns_customer ON turns (customer);

CREATE TABLE agendas (
    no             INTEGER PRIMARY KEY,
    id             TEXT    NOT NULL UNIQUE,
    customer       TEXT    NOT NULL,
    insight        TEXT    NOT NULL,
    pool           TEXT    NOT NULL,
    title          TEXT,
    link           TEXT,
    workflow       TEXT,
    total          INTEGER NOT NULL,
    submitted_at   INTEGER NOT NULL,
    state          TEXT    NOT NULL DEFAULT 'ready',
    held           INTEGER NOT NULL DEFAULT 0,
    reason         TEXT,
    epoch          INTEGER NOT NULL DEFAULT 0,
    seq            INTEGER NOT NULL DEFAULT 0,
    percent        INTEGER NOT NULL DEFAULT 0,
    succeeded      INTEGER NOT NULL DEFAULT 0,
    queue_position INTEGER,
    lease_worker   TEXT,
    lease_instance TEXT,
    lease_request  TEXT,
    lease_until    INTEGER,
    cancelling     INTEGER NOT NULL DEFAULT 0,
    started_at     INTEGER,
    ended_at       INTEGER,
    outputs        TEXT,
    failure        TEXT
);
CREATE INDEX agendas_live     ON agendas (no) WHERE ended_at IS NULL;
CREATE INDEX agendas_customer ON agendas (customer, no);
CREATE INDEX agendas_state    ON agendas (state, no);
CREATE INDEX agendas_link     ON agendas (link, no) WHERE link IS NOT NULL;

-- The agenda as it was submitted, and the names and types of its operations apart, so that neither a restart nor a list
-- has to read payloads.
CREATE TABLE bodies (
    no         INTEGER PRIMARY KEY,
    body       TEXT NOT NULL,
    operations TEXT NOT NULL
);

CREATE TABLE keys (
    customer TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    no       INTEGER NOT NULL,
    PRIMARY KEY (customer, key)
) WITHOUT ROWID;
CREATE INDEX keys_no ON keys (no);

-- Operations that are no longer as they were submitted.
CREATE TABLE operations (
    no         INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    state      TEXT    NOT NULL,
    again      INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    failures   INTEGER NOT NULL,
    percent    INTEGER NOT NULL,
    message    TEXT,
    started_at INTEGER,
    ended_at   INTEGER,
    failure    TEXT,
    PRIMARY KEY (no, position)
) WITHOUT ROWID;

CREATE TABLE outputs (
    no       INTEGER NOT NULL,
    position INTEGER NOT NULL,
    body     TEXT    NOT NULL,
    PRIMARY KEY (no, position)
);

CREATE TABLE events (
    no   INTEGER NOT NULL,
    seq  INTEGER NOT NULL,
    body TEXT    NOT NULL,
    PRIMARY KEY (no, seq)
) WITHOUT ROWID;

CREATE TABLE logs (
    id        INTEGER PRIMARY KEY,
    no        INTEGER NOT NULL,
    operation TEXT    NOT NULL,
    attempt   INTEGER NOT NULL,
    stream    TEXT    NOT NULL,
    start     INTEGER NOT NULL,
    body      TEXT    NOT NULL,
    UNIQUE (no, operation, attempt, stream, start)
);
CREATE INDEX logs_agenda ON logs (no, id);
