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
