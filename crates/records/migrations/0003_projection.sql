-- What the projector makes of the event log, the ledger, and webhooks on their way.
--
-- Times are milliseconds since 1970-01-01T00:00:00Z; yes and no are 1 and 0; amounts are millionths of the currency; lists and objects are
-- JSON text. One text for SQLite and PostgreSQL: TEXT and BIGINT only. A `realm` is a tenant, the kind of key that opened a session and its
-- mode in one word: lists never cross it.

-- Up to where the log of each partition has been read. Moves in the transaction of what was read.
CREATE TABLE log_cursor (
    partition    BIGINT PRIMARY KEY,
    position     BIGINT NOT NULL,
    -- Fingerprint of the entry at that position: another one there means that the log lost its end.
    digest       TEXT   NOT NULL,
    -- Who reads it. Only saves work: whoever moves the position first has done it.
    holder       TEXT   NOT NULL,
    leased_until BIGINT NOT NULL
);

INSERT INTO log_cursor (partition, position, digest, holder, leased_until) VALUES
    (0, 0, '', '', 0), (1, 0, '', '', 0), (2, 0, '', '', 0), (3, 0, '', '', 0), (4, 0, '', '', 0), (5, 0, '', '', 0),
    (6, 0, '', '', 0), (7, 0, '', '', 0), (8, 0, '', '', 0), (9, 0, '', '', 0), (10, 0, '', '', 0), (11, 0, '', '', 0),
    (12, 0, '', '', 0), (13, 0, '', '', 0), (14, 0, '', '', 0), (15, 0, '', '', 0);

-- Entries of the log that could not be taken in and wait for a person. An entry holds recipients, as `sessions` does, and no code.
CREATE TABLE poison_events (
    partition BIGINT NOT NULL,
    sequence  BIGINT NOT NULL,
    entry_at  BIGINT NOT NULL,
    aggregate TEXT   NOT NULL,
    kind      TEXT   NOT NULL,
    error     TEXT   NOT NULL,
    entry     TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (partition, sequence, entry_at)
);

CREATE TABLE sessions (
    id                 TEXT   PRIMARY KEY,
    realm              TEXT   NOT NULL,
    dialect            TEXT   NOT NULL,
    service_id         TEXT,
    purpose            TEXT   NOT NULL,
    metadata           TEXT   NOT NULL,
    verification_mode  TEXT   NOT NULL,
    max_attempts       BIGINT NOT NULL,
    attempts_remaining BIGINT NOT NULL,
    -- Channel, recipient, messages oldest first, whether it is proved: of channels that wait for their turn too.
    channels           TEXT   NOT NULL,
    status             TEXT   NOT NULL,
    -- The session as one message: its first channel that a provider took, and how far that is.
    shown_channel      TEXT   NOT NULL,
    shown_status       TEXT   NOT NULL,
    cost               BIGINT NOT NULL,
    created_at         BIGINT NOT NULL,
    expires_at         BIGINT NOT NULL,
    verified_at        BIGINT,
    -- A fingerprint of 8 letters for each event taken in, in order: what tells a repeated event from another one of the same number.
    history            TEXT   NOT NULL
);

CREATE INDEX sessions_in_order ON sessions (realm, created_at, id);

CREATE TABLE messages (
    id           TEXT   PRIMARY KEY,
    realm        TEXT   NOT NULL,
    session_id   TEXT   NOT NULL,
    service_id   TEXT,
    channel      TEXT   NOT NULL,
    recipient    TEXT   NOT NULL,
    status       TEXT   NOT NULL,
    provider     TEXT,
    provider_id  TEXT,
    reason       TEXT,
    cost         BIGINT NOT NULL,
    country      TEXT,
    created_at   BIGINT NOT NULL,
    sent_at      BIGINT,
    delivered_at BIGINT,
    failed_at    BIGINT
);

CREATE INDEX messages_in_order ON messages (realm, created_at, id);
CREATE INDEX messages_of_recipient ON messages (realm, recipient, created_at, id);
-- The two statuses that few messages keep.
CREATE INDEX messages_failed ON messages (realm, created_at, id) WHERE status = 'failed';
CREATE INDEX messages_pending ON messages (realm, created_at, id) WHERE status = 'pending';

CREATE TABLE message_history (
    message_id TEXT   NOT NULL,
    -- The event's number in its session.
    number     BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    status     TEXT   NOT NULL,
    provider   TEXT,
    reason     TEXT,
    PRIMARY KEY (message_id, number)
);

-- How many rows of a list were made in each hour, by what lists are filtered by. Kept in the transaction that changes the rows, so totals
-- are exact and cost a few rows however long the list is.
CREATE TABLE list_counts (
    list    TEXT   NOT NULL,
    realm   TEXT   NOT NULL,
    hour    BIGINT NOT NULL,
    service TEXT   NOT NULL,
    channel TEXT   NOT NULL,
    status  TEXT   NOT NULL,
    total   BIGINT NOT NULL,
    PRIMARY KEY (list, realm, hour, service, channel, status)
);

-- One row for each tenant that has a ledger. Whoever writes to the ledger changes this row first: a tenant's lines queue.
CREATE TABLE wallets (
    tenant_id TEXT   PRIMARY KEY REFERENCES tenants (id),
    -- Number of the newest credit.
    credits   BIGINT NOT NULL,
    -- The sum of the ledger without what was refused.
    balance   BIGINT NOT NULL,
    -- The moment of the last cut that was compared.
    cut_at    BIGINT NOT NULL
);

CREATE TABLE ledger (
    id             TEXT   PRIMARY KEY,
    tenant_id      TEXT   NOT NULL REFERENCES tenants (id),
    -- Credits and adjustments: 1, 2, 3, without gaps in their tenant.
    number         BIGINT,
    kind           TEXT   NOT NULL CHECK (kind IN ('credit', 'adjustment', 'capture', 'fee')),
    amount         BIGINT NOT NULL,
    -- Captures and fees: the event they come from.
    event_id       TEXT   UNIQUE,
    session_id     TEXT,
    message_id     TEXT,
    note           TEXT   NOT NULL,
    -- Credits and adjustments: by which a repeated call is known.
    call_id        TEXT,
    state          TEXT   NOT NULL CHECK (state IN ('pending', 'applied', 'refused')),
    -- Credits and adjustments: when the balance that admits sends was known to have, or to refuse, it.
    settled_at     BIGINT,
    at             BIGINT NOT NULL,
    UNIQUE (tenant_id, number),
    UNIQUE (tenant_id, call_id)
);

CREATE INDEX ledger_in_order ON ledger (tenant_id, id);
CREATE INDEX ledger_pending ON ledger (tenant_id, number) WHERE state = 'pending';

-- Balances that were not what the ledger says, until somebody has looked.
CREATE TABLE wallet_differences (
    tenant_id       TEXT   NOT NULL REFERENCES tenants (id),
    at              BIGINT NOT NULL,
    expected        BIGINT NOT NULL,
    found           BIGINT NOT NULL,
    -- The last cut that showed the same difference.
    seen_at         BIGINT NOT NULL,
    acknowledged_at BIGINT,
    acknowledged_by TEXT,
    PRIMARY KEY (tenant_id, at)
);

-- Holds the secrets that sign posts, in plain text: whoever reads this table can forge posts to these endpoints.
CREATE TABLE webhook_endpoints (
    id              TEXT   PRIMARY KEY,
    tenant_id       TEXT   NOT NULL REFERENCES tenants (id),
    url             TEXT   NOT NULL,
    description     TEXT   NOT NULL,
    events          TEXT   NOT NULL,
    disabled        TEXT,
    secret          TEXT   NOT NULL,
    previous_secret TEXT,
    previous_until  BIGINT,
    created_at      BIGINT NOT NULL
);

CREATE INDEX webhook_endpoints_of_tenant ON webhook_endpoints (tenant_id, id);

CREATE TABLE webhook_deliveries (
    id           TEXT   PRIMARY KEY,
    tenant_id    TEXT   NOT NULL,
    -- No reference: the log of deliveries stays when the endpoint goes.
    endpoint_id  TEXT   NOT NULL,
    event_id     TEXT   NOT NULL,
    event_type   TEXT   NOT NULL,
    body         TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    attempts     BIGINT NOT NULL,
    next_at      BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    ended_at     BIGINT,
    -- The delivery that this one repeats at somebody's wish.
    replay_of    TEXT
);

CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_of_tenant ON webhook_deliveries (tenant_id, id);
CREATE INDEX webhook_deliveries_of_endpoint ON webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_by_end ON webhook_deliveries (ended_at);

CREATE TABLE webhook_attempts (
    delivery_id TEXT   NOT NULL,
    number      BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    status      BIGINT,
    response    TEXT,
    error       TEXT,
    PRIMARY KEY (delivery_id, number)
);
