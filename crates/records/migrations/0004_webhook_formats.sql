-- Endpoints that expect another spelling than our own, and when somebody last changed one.

ALTER TABLE webhook_endpoints ADD COLUMN format TEXT NOT NULL DEFAULT 'native';
ALTER TABLE webhook_endpoints ADD COLUMN updated_at BIGINT;

-- What a body is spelt in stays what it was when it was made: a delivery may wait while its endpoint is changed.
ALTER TABLE webhook_deliveries ADD COLUMN format TEXT NOT NULL DEFAULT 'native';

-- What has waited too long is found without a look at everything that waits.
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_at) WHERE state = 'pending';
