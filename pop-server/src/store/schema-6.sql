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

-- Templates belong to a customer, or to all: then the customer is empty.
CREATE TABLE owned_templates (
    customer TEXT NOT NULL,
    name     TEXT NOT NULL,
    view     TEXT NOT NULL,
    body     TEXT NOT NULL,
    PRIMARY KEY (customer, name)
);
INSERT INTO owned_templates (customer, name, view, body) SELECT '', name, view, body FROM templates;
DROP TABLE templates;
ALTER TABLE owned_templates RENAME TO templates;
