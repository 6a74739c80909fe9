-- Templates that are used only where a call chooses them, and never by themselves. 1: yes.
ALTER TABLE templates ADD COLUMN by_choice BIGINT NOT NULL DEFAULT 0;
