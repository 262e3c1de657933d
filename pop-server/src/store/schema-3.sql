-- What the workflow of a name is: name, version and digest apart, so that neither a start nor a list has to read them all.
CREATE TABLE templates (
    name TEXT NOT NULL PRIMARY KEY,
    view TEXT NOT NULL,
    body TEXT NOT NULL
);
