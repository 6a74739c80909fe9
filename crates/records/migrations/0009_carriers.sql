-- Who carried a message the last mile, where its receipt says so.
ALTER TABLE messages ADD COLUMN carrier TEXT;
