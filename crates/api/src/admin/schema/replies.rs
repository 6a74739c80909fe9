use std::collections::BTreeMap;

use utoipa::ToSchema;

use super::shared::{Limits, Prices, Profile, Settings};

/// The installation.
#[derive(ToSchema)]
pub(crate) struct Info {
    /// The release.
    version: String,
    /// Where callers reach it.
    public_url: String,
    #[schema(format = DateTime)]
    now: String,
    /// What amounts are in; null: nobody is billed.
    currency: Option<String>,
    /// Counts changes of tenants, keys, services, templates and senders; as this node has them.
    configuration_version: i64,
    tenants: usize,
}

/// What each part of the installation says of itself.
#[derive(ToSchema)]
pub(crate) struct Readiness {
    /// Whether calls can be served.
    ready: bool,
    session_store: bool,
    /// Without them codes go out and verify all the same.
    records: bool,
}

/// Who gets messages out.
#[derive(ToSchema)]
pub(crate) struct Providers {
    /// Each channel of live messages.
    channels: Vec<Route>,
    /// Each provider, the sandbox too.
    providers: Vec<Provider>,
}

/// A provider, and what this node saw of it since it started.
#[derive(ToSchema)]
pub(crate) struct Provider {
    name: String,
    /// Its `kind` in the configuration; the sandbox has none.
    kind: Option<String>,
    /// `live` or `sandbox`.
    mode: String,
    /// Empty: no channel names it.
    channels: Vec<String>,
    /// How often tries ended how: `accepted`, `refused`, `throttled`, `unreachable`, `misconfigured`, `unknown`, `unclear`. What never happened is
    /// not there.
    tries: BTreeMap<String, u64>,
    health: ProviderHealth,
    /// The last try that it did not take.
    last_failure: Option<ProviderFailure>,
}

/// How a provider fares, as far as this node knows.
#[derive(ToSchema)]
pub(crate) struct ProviderHealth {
    /// `closed`: it is asked. `open`: it is passed over while another one is left. `half_open`: one message at a time tries it.
    #[schema(examples("closed"))]
    circuit: String,
    /// When the circuit came into this state.
    #[schema(format = DateTime)]
    since: String,
    /// How often it was opened.
    opened: u64,
    /// Tries under way.
    in_flight: usize,
    /// How many of its last tries the next three are about: a hundred at most.
    recent_tries: usize,
    /// Of these, how many speak against it: `unreachable`, `misconfigured`, `unknown`, `unclear`.
    recent_failures: usize,
    /// Half of them took no longer, in milliseconds.
    median_ms: Option<u64>,
    /// Ninety-five of a hundred took no longer, in milliseconds.
    p95_ms: Option<u64>,
}

/// A try that a provider did not take.
#[derive(ToSchema)]
pub(crate) struct ProviderFailure {
    #[schema(format = DateTime)]
    at: String,
    channel: String,
    /// In the words of `tries`.
    outcome: String,
    /// What is known beyond that.
    #[schema(examples("HTTP 503"))]
    diagnostic: String,
}

/// Who serves a channel.
#[derive(ToSchema)]
pub(crate) struct Route {
    channel: String,
    /// Lists of their own for some of its messages: the first that a message fits is taken.
    routes: Vec<NarrowedRoute>,
    /// For the other messages. First choice first, unless there are weights.
    providers: Vec<String>,
    /// Of each of `providers`, where the order is drawn anew for each message; null: it is that of the list.
    weights: Option<Vec<u32>>,
}

/// A list for some of a channel's messages. What is empty does not matter; all the rest must hold.
#[derive(ToSchema)]
pub(crate) struct NarrowedRoute {
    /// Countries of numbers.
    #[schema(examples(json!(["IN"])))]
    countries: Vec<String>,
    tenants: Vec<String>,
    services: Vec<String>,
    /// First choice first, unless there are weights.
    providers: Vec<String>,
    weights: Option<Vec<u32>>,
}

/// A change that somebody made.
#[derive(ToSchema)]
pub(crate) struct AuditEntry {
    /// Counts from 1, without gaps.
    number: i64,
    #[schema(format = DateTime)]
    at: String,
    /// The admin token's name, or `terminal`.
    who: String,
    #[schema(examples("service.update"))]
    what: String,
    /// Null: the installation's.
    tenant: Option<String>,
    target_kind: String,
    target_id: String,
    /// Null: it was not there.
    #[schema(value_type = Option<Object>)]
    before: Option<serde_json::Value>,
    /// Null: it is gone.
    #[schema(value_type = Option<Object>)]
    after: Option<serde_json::Value>,
}

/// An admin token, without the token.
#[derive(ToSchema)]
pub(crate) struct AdminToken {
    name: String,
    scopes: Vec<String>,
    /// `active`, `expired` or `revoked`.
    state: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
}

macro_rules! made {
    ($(#[$doc:meta])* $name:ident, $record:ty) => {
        $(#[$doc])*
        #[derive(ToSchema)]
        pub(crate) struct $name {
            #[serde(flatten)]
            record: $record,
            /// Shown this once; null where an earlier call with the same idempotency key showed it.
            secret: Option<String>,
        }
    };
}

made!(
    /// A new admin token.
    MadeToken, AdminToken
);
made!(
    /// A new API key.
    MadeApiKey, ApiKey
);
made!(
    /// A webhook endpoint with its new secret.
    MadeEndpoint, Endpoint
);

/// A tenant.
#[derive(ToSchema)]
pub(crate) struct Tenant {
    #[schema(examples("ten_01J9ZQ3V8MTRX4N6D5B7C9E0FG"))]
    id: String,
    name: String,
    email: Option<String>,
    plan: String,
    settings: Settings,
    /// Counts changes of the tenant and of what it has.
    revision: u64,
    #[schema(format = DateTime)]
    created_at: String,
}

/// An API key, without its secret.
#[derive(ToSchema)]
pub(crate) struct ApiKey {
    #[schema(examples("key_01J9ZQ3V8MTRX4N6D5B7C9E0FG"))]
    id: String,
    /// The public half.
    access_key: String,
    name: String,
    /// `live` or `test`.
    mode: String,
    /// `full`, `read_only` or `browser`.
    scope: String,
    /// `active`, `expired` or `revoked`.
    state: String,
    /// Empty: from anywhere.
    allowed_ips: Vec<String>,
    /// Only of a `browser` key: the pages that may show it.
    origins: Option<Vec<String>>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
}

/// A service.
#[derive(ToSchema)]
pub(crate) struct Service {
    #[schema(format = "uuid")]
    id: String,
    name: String,
    profile: Profile,
    limits: Limits,
    /// Null: the tenant's.
    prices: Option<Prices>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

/// A version of a template.
#[derive(ToSchema)]
pub(crate) struct Template {
    #[schema(format = "uuid")]
    id: String,
    /// Counts from 1; the newest is in use.
    version: u32,
    /// Null: all of the tenant's.
    service: Option<String>,
    channel: String,
    locale: String,
    name: String,
    subject: Option<String>,
    body: String,
    /// Whether it is used only where a call chooses it.
    by_choice: bool,
    #[schema(format = DateTime)]
    created_at: String,
}

/// What a person would get, with the code 123456.
#[derive(ToSchema)]
pub(crate) struct Preview {
    /// The language that was chosen.
    locale: String,
    /// E-mail only.
    subject: Option<String>,
    text: String,
    /// E-mail only.
    html: Option<String>,
    /// Characters of `text`.
    characters: u32,
    /// Text messages only: `gsm7` or `ucs2`.
    encoding: Option<String>,
    /// Text messages only: how many a carrier bills.
    segments: Option<u32>,
    /// What the message costs the tenant, whatever its segments; null where nobody is billed.
    cost: Option<String>,
    /// Of `cost`.
    currency: Option<String>,
}

/// What became of a test message.
#[derive(ToSchema)]
pub(crate) struct ProviderTest {
    provider: String,
    channel: String,
    /// Masked.
    recipient: String,
    /// The message's id, which the provider is told where it takes a reference.
    message: String,
    /// `accepted`, `refused`, `throttled`, `unreachable`, `misconfigured`, `unknown` or `unclear`; null: an earlier call with the same
    /// idempotency key sent it and was told.
    outcome: Option<String>,
    /// What the provider said, as far as it says nothing of the recipient.
    reason: Option<String>,
    /// The provider's name for the message.
    provider_id: Option<String>,
}

/// A sender.
#[derive(ToSchema)]
pub(crate) struct Sender {
    #[schema(format = "uuid")]
    id: String,
    channel: String,
    value: String,
    #[schema(format = DateTime)]
    created_at: String,
}

/// A webhook endpoint, without its secret.
#[derive(ToSchema)]
pub(crate) struct Endpoint {
    #[schema(examples("whe_01J9ZQ3V8MTRX4N6D5B7C9E0FG"))]
    id: String,
    url: String,
    /// `native`, `kotp` or `getotp`.
    format: String,
    description: String,
    /// Empty: everything that its format has a word for.
    events: Vec<String>,
    /// `live` or `test`: it hears only of what keys of this kind do. None: of everything.
    keys: Option<String>,
    enabled: bool,
    /// Why not: `operator`, or `gone` where it answered 410.
    disabled: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
}

/// An event on its way to an endpoint, or what became of it.
#[derive(ToSchema)]
pub(crate) struct Delivery {
    #[schema(examples("whd_01J9ZQ3V8MTRX4N6D5B7C9E0FG"))]
    id: String,
    /// It may be gone.
    endpoint: String,
    /// The `webhook-id` that the receiver sees.
    event_id: String,
    event: String,
    /// `pending`, `delivered`, `failed` or `discarded`.
    state: String,
    /// How often it was tried.
    attempts: u32,
    /// While it is pending.
    #[schema(format = DateTime)]
    next_at: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// The delivery that this one repeats.
    replay_of: Option<String>,
}

/// A delivery with its tries and what is posted.
#[derive(ToSchema)]
pub(crate) struct DeliveryShown {
    delivery: Delivery,
    /// First to last.
    tries: Vec<DeliveryAttempt>,
    /// What is posted, byte for byte.
    body: String,
}

/// One try.
#[derive(ToSchema)]
pub(crate) struct DeliveryAttempt {
    /// Counts from 1.
    number: u32,
    #[schema(format = DateTime)]
    at: String,
    took_ms: u64,
    /// What the endpoint answered, if it did.
    status: Option<u16>,
    /// What it said with a refusal, cut short.
    response: Option<String>,
    /// What went wrong.
    error: Option<String>,
}

/// A delivery that is on its way now.
#[derive(ToSchema)]
pub(crate) struct DeliveryRef {
    delivery: String,
}

/// The balance that admits sends.
#[derive(ToSchema)]
#[expect(clippy::struct_field_names, reason = "as it stands on the wire")]
pub(crate) struct Balance {
    /// Credits less what was taken.
    balance: String,
    /// The part of it that is held for messages on their way.
    held: String,
    /// What sends can still be paid from.
    available: String,
}

/// A tenant's money.
#[derive(ToSchema)]
#[expect(clippy::struct_field_names, reason = "as it stands on the wire")]
pub(crate) struct Wallet {
    currency: String,
    /// Null: the session store is away.
    wallet: Option<Balance>,
    /// What the ledger comes to; trails the balance by moments.
    ledger: String,
    /// Credits that are not in the balance yet.
    credits_pending: u64,
}

/// A line of a ledger.
#[derive(ToSchema)]
pub(crate) struct LedgerLine {
    id: String,
    /// `credit`, `adjustment`, `capture` or `fee`.
    kind: String,
    /// Below zero: taken.
    amount: String,
    /// `pending`, `applied`, or `refused`: it would have taken more than there was.
    state: String,
    note: String,
    session: Option<String>,
    message: Option<String>,
    #[schema(format = DateTime)]
    at: String,
}

/// A line that was booked.
#[derive(ToSchema)]
pub(crate) struct Credited {
    line: LedgerLine,
}

/// What a rebuild did.
#[derive(ToSchema)]
pub(crate) struct Rebuilt {
    before: Balance,
    after: Balance,
}

/// A balance that was not what the ledger says.
#[derive(ToSchema)]
pub(crate) struct WalletDifference {
    id: String,
    tenant: String,
    /// When it was first seen.
    #[schema(format = DateTime)]
    at: String,
    /// What the ledger came to then.
    expected: String,
    /// What the balance was then.
    found: String,
    #[schema(format = DateTime)]
    seen_at: String,
    #[schema(format = DateTime)]
    acknowledged_at: Option<String>,
    acknowledged_by: Option<String>,
}

/// An entry of the event log that could not be taken in. What it tells is not shown: it holds recipients.
#[derive(ToSchema)]
pub(crate) struct PoisonEntry {
    id: String,
    /// The session or tenant it is about.
    aggregate: String,
    /// `gap`, `fork` or `refused`.
    kind: String,
    error: String,
    #[schema(format = DateTime)]
    entry_at: String,
    /// When it was set aside.
    #[schema(format = DateTime)]
    at: String,
}

/// What a retry came to.
#[derive(ToSchema)]
pub(crate) struct Retried {
    /// Whether it is taken in now.
    taken_in: bool,
    /// Why not.
    error: Option<String>,
}

/// A session. Recipients are masked; no code or token is shown.
#[derive(ToSchema)]
pub(crate) struct Session {
    id: String,
    /// `pending`, `verified`, `expired`, `locked`, `canceled` or `failed`.
    status: String,
    /// `live` or `sandbox`.
    mode: String,
    /// The kind of key that opened it: `live` or `test`.
    keys: String,
    service: Option<String>,
    purpose: String,
    verification_mode: String,
    attempts_remaining: u8,
    channels: Vec<SessionChannel>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    expires_at: String,
    #[schema(format = DateTime)]
    verified_at: Option<String>,
}

/// One channel of a session.
#[derive(ToSchema)]
pub(crate) struct SessionChannel {
    channel: String,
    /// Masked.
    recipient: String,
    status: String,
    attempt: String,
    message: String,
    provider: Option<String>,
    #[schema(format = DateTime)]
    sent_at: Option<String>,
    #[schema(format = DateTime)]
    delivered_at: Option<String>,
    #[schema(format = DateTime)]
    verified_at: Option<String>,
}

/// What became of a recipient's block.
#[derive(ToSchema)]
pub(crate) struct Unblocked {
    /// Masked.
    recipient: String,
    mode: String,
    purpose: String,
    /// Whether anything was refused because of it. If not, there was no block, or not under this mode and purpose.
    lifted: bool,
}

/// What is gone.
#[derive(ToSchema)]
pub(crate) struct Deleted {
    id: String,
    deleted: bool,
}
