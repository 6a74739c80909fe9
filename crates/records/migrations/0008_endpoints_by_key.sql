-- Endpoints that a tenant keeps itself hear only of what keys of the kind that made them do; null: of everything.
ALTER TABLE webhook_endpoints ADD COLUMN key_kind TEXT;
