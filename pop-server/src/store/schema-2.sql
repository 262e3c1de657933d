-- Operations that generators added to an agenda: their place after those that were submitted, and all of it as JSON.
CREATE TABLE made (
    no       INTEGER NOT NULL,
    position INTEGER NOT NULL,
    name     TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    body     TEXT    NOT NULL,
    PRIMARY KEY (no, position)
) WITHOUT ROWID;
