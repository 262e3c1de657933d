-- The moments of an operation's last attempt, as a JSON document.
ALTER TABLE operations ADD COLUMN ledger TEXT;
