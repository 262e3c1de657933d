-- How often the right to write was claimed. A commit under an older claim is refused.
CREATE TABLE writer (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    claim INTEGER NOT NULL
);
INSERT INTO writer (one, claim) VALUES (1, 0);
