-- Keys for pages. JSON array of the origins they may be shown from; null: not a key for pages. The scope of such a key says read_only, the least
-- that a release which does not know this column may take it for.
ALTER TABLE api_keys ADD COLUMN origins TEXT;
