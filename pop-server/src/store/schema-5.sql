-- How many leases of the agenda's run were lost: their pools may have started operations that nobody has heard of.
ALTER TABLE agendas ADD COLUMN interrupted INTEGER NOT NULL DEFAULT 0;
UPDATE agendas SET interrupted = lost WHERE lost > 0;
-- Renewals are kept in memory only: a restart gives each lease its whole length.
ALTER TABLE agendas DROP COLUMN lease_until;
-- Whether the body, what generators made, and outputs are encrypted; and the name of the key.
ALTER TABLE bodies ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0;
CREATE TABLE seal (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    key BLOB NOT NULL
);
