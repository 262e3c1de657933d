-- What the policy of an insight must not forget: rows that only the policy can read. Those of round robin are the customers
-- whose turn is over.
CREATE TABLE policy_rows (
    insight TEXT NOT NULL,
    key     TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (insight, key)
) WITHOUT ROWID;
INSERT INTO policy_rows (insight, key, value) SELECT insight, customer, '' FROM turns;
DROP TABLE turns;

-- How often the right to write was claimed. A commit under an older claim is refused.
CREATE TABLE writer (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    claim INTEGER NOT NULL
);
INSERT INTO writer (one, claim) VALUES (1, 0);
