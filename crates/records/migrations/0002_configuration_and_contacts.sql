-- What operators configure for a tenant, its contacts, and who changed what.
--
-- Times are milliseconds since 1970-01-01T00:00:00Z; yes and no are 1 and 0; lists and objects are JSON text. One text for SQLite and
-- PostgreSQL: TEXT and BIGINT only.

-- Numbers that move with every change of something. `configuration`: tenants, keys, services, templates, senders. `audit`: the last entry.
CREATE TABLE counters (
    name  TEXT   PRIMARY KEY,
    value BIGINT NOT NULL
);

INSERT INTO counters (name, value) VALUES ('configuration', 1), ('audit', 0);

ALTER TABLE tenants ADD COLUMN email      TEXT;
ALTER TABLE tenants ADD COLUMN plan       TEXT   NOT NULL DEFAULT 'standard';
ALTER TABLE tenants ADD COLUMN settings   TEXT   NOT NULL DEFAULT '{}';
ALTER TABLE tenants ADD COLUMN revision   BIGINT NOT NULL DEFAULT 1;
ALTER TABLE tenants ADD COLUMN created_at BIGINT NOT NULL DEFAULT 0;

-- A tenant got its first key when it was made.
UPDATE tenants SET created_at = COALESCE((SELECT MIN(created_at) FROM api_keys WHERE api_keys.tenant_id = tenants.id), 0);

-- Two tenants may bring the same UUID along: ids of services, templates and senders are unique in their tenant.
CREATE TABLE services (
    tenant_id  TEXT   NOT NULL REFERENCES tenants (id),
    id         TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    profile    TEXT   NOT NULL,
    limits     TEXT   NOT NULL,
    prices     TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
);

-- Every version; the one with the highest number is in use.
CREATE TABLE templates (
    tenant_id  TEXT   NOT NULL REFERENCES tenants (id),
    id         TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    service_id TEXT,
    channel    TEXT   NOT NULL,
    locale     TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    subject    TEXT,
    body       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id, version),
    FOREIGN KEY (tenant_id, service_id) REFERENCES services (tenant_id, id)
);

CREATE INDEX templates_of_service ON templates (tenant_id, service_id);

CREATE TABLE senders (
    tenant_id  TEXT   NOT NULL REFERENCES tenants (id),
    id         TEXT   NOT NULL,
    channel    TEXT   NOT NULL,
    value      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, channel, value)
);

CREATE TABLE contacts (
    tenant_id         TEXT   NOT NULL REFERENCES tenants (id),
    id                TEXT   NOT NULL,
    external_id       TEXT,
    email             TEXT,
    -- The address with its ASCII letters in lower case: what makes two spellings one.
    email_folded      TEXT,
    phone             TEXT,
    first_name        TEXT,
    last_name         TEXT,
    tags              TEXT   NOT NULL,
    custom_fields     TEXT   NOT NULL,
    metadata          TEXT   NOT NULL,
    preferences       TEXT   NOT NULL,
    is_active         BIGINT NOT NULL,
    verified_channels TEXT   NOT NULL,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    -- Pages go along it: ids begin with the time. There is no index of ids alone, so that no plan walks through other tenants' contacts.
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, external_id),
    UNIQUE (tenant_id, email_folded),
    UNIQUE (tenant_id, phone)
);

-- How many contacts a tenant has. Whoever changes contacts changes this row first: changes of one tenant's contacts queue.
CREATE TABLE contact_counts (
    tenant_id TEXT   PRIMARY KEY REFERENCES tenants (id),
    total     BIGINT NOT NULL
);

CREATE TABLE admin_tokens (
    name       TEXT   PRIMARY KEY,
    -- SHA-256 of the token, in lower-case hexadecimal. The token itself is nowhere.
    hash       TEXT   NOT NULL UNIQUE,
    scopes     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);

CREATE TABLE audit (
    number      BIGINT PRIMARY KEY,
    at          BIGINT NOT NULL,
    who         TEXT   NOT NULL,
    what        TEXT   NOT NULL,
    -- Whose record it was; none: the installation's. No reference: the entry stays whatever becomes of the tenant.
    tenant_id   TEXT,
    target_kind TEXT   NOT NULL,
    target_id   TEXT   NOT NULL,
    before_json TEXT,
    after_json  TEXT
);

CREATE INDEX audit_of_tenant ON audit (tenant_id, number);

-- Answers of calls whose effect is in this database, written in the transaction of the effect.
CREATE TABLE idempotency (
    tenant_id  TEXT   NOT NULL,
    mode       TEXT   NOT NULL,
    key_hash   TEXT   NOT NULL,
    body_hash  TEXT   NOT NULL,
    reply      TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, mode, key_hash)
);

CREATE INDEX idempotency_by_end ON idempotency (expires_at);
