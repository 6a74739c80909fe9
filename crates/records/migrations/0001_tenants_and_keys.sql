-- Owners, and what lets callers in. Times are milliseconds since 1970-01-01T00:00:00Z.

CREATE TABLE tenants (
    id   TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE api_keys (
    id          TEXT   PRIMARY KEY,
    tenant_id   TEXT   NOT NULL REFERENCES tenants (id),
    kind        TEXT   NOT NULL CHECK (kind IN ('live', 'test')),
    name        TEXT   NOT NULL,
    access_key  TEXT   NOT NULL UNIQUE,
    -- SHA-256 of the secret, in lower-case hexadecimal. The secret itself is nowhere.
    secret_hash TEXT   NOT NULL UNIQUE,
    scope       TEXT   NOT NULL CHECK (scope IN ('full', 'read_only')),
    -- JSON array of networks; empty: from anywhere.
    allowed_ips TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT,
    revoked_at  BIGINT
);

CREATE INDEX api_keys_of_tenant ON api_keys (tenant_id, created_at);
