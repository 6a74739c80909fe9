-- The language that a send named for its messages, where it asked for a contact: a BCP 47 tag. That contact is made later, from the log.
ALTER TABLE sessions ADD COLUMN named_locale TEXT;
