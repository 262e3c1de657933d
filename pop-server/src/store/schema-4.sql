-- How often an agenda may be handed out without any of its operations ending, where it says so, and how often that has
-- happened since one did.
ALTER TABLE agendas ADD COLUMN maximum_attempts INTEGER;
ALTER TABLE agendas ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;
