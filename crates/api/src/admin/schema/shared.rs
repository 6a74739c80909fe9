use std::collections::BTreeMap;

use utoipa::ToSchema;

/// What a service decides about its sessions. What is left out: the installation, then the dialect of the call.
#[derive(ToSchema)]
pub(crate) struct Profile {
    /// The name that messages show.
    #[schema(min_length = 1, max_length = 64)]
    app_name: Option<String>,
    /// Digits of a code.
    #[schema(minimum = 4, maximum = 10)]
    code_length: Option<u8>,
    /// Minutes that a code lives.
    #[schema(minimum = 1, maximum = 1440)]
    life_minutes: Option<u32>,
    /// The most minutes that a call may ask for.
    #[schema(minimum = 1, maximum = 1440)]
    max_life_minutes: Option<u32>,
    /// Calls with a wrong code before a session locks.
    #[schema(minimum = 1, maximum = 10)]
    max_attempts: Option<u8>,
    /// Seconds between a send and the earliest resend.
    #[schema(maximum = 86400)]
    resend_after_seconds: Option<u32>,
    /// `rotate`: a resend kills the old code. `keep_previous`: it lives until its own end.
    resend_policy: Option<String>,
    /// Whether a resend unlocks a locked session.
    resend_unlocks: Option<bool>,
    /// What a send answers when no provider took a message: `error` or `session`.
    all_failed: Option<String>,
    /// How closely phone numbers are looked at: `syntax`, `possible` or `valid`.
    number_check: Option<String>,
    /// What follows a message that did not arrive, or of which no receipt came in time: `none` (default), `provider` (a new message through
    /// another provider) or `channel` (the next fallback channel).
    receipt_failover: Option<String>,
    /// After how many seconds a receipt counts as missing, by channel: 5 to 900.
    #[schema(examples(json!({"sms": 45})))]
    receipt_wait_seconds: Option<BTreeMap<String, u16>>,
    /// To which numbers live messages go.
    numbers: Option<Numbers>,
    /// Whose codes are known beforehand, under a live key too: nothing is sent to them. At most 20.
    #[schema(max_items = 20)]
    test_recipients: Option<Vec<TestRecipient>>,
    /// The language of messages whose call names none, a BCP 47 tag.
    locale: Option<String>,
    /// Whether the built-in words of messages warn against giving the code away (default: yes).
    never_share: Option<bool>,
    /// GetOTP: whether a code may be checked without saying whose it is (default: yes).
    allow_code_only_check: Option<bool>,
    /// Antryk: what a wrong code is answered with: `verdict` (default) or `error`.
    wrong_code: Option<String>,
    /// GetOTP: how dates are written: `iso` (default) or `table`.
    date_format: Option<String>,
}

/// To which numbers live messages go. What is left out: the installation.
#[derive(ToSchema)]
#[schema(examples(json!({"sms": {"allow": ["US", "CA"]}, "voice": {"monitor": ["GB"]}, "blocked_types": ["premium_rate", "shared_cost"]})))]
pub(crate) struct Numbers {
    sms: Option<Geo>,
    whatsapp: Option<Geo>,
    voice: Option<Geo>,
    /// Kinds of number that get nothing: `mobile`, `fixed_line`, `fixed_or_mobile`, `toll_free`, `premium_rate`, `shared_cost`, `voip`, `personal`,
    /// `pager`, `uan`, `voicemail`, `unknown`. Where nobody says: `premium_rate` and `shared_cost`.
    blocked_types: Option<Vec<String>>,
}

/// To which countries a channel goes, by their ISO 3166 codes.
#[derive(ToSchema)]
pub(crate) struct Geo {
    /// Only these; none: all.
    allow: Option<Vec<String>>,
    /// Never these.
    block: Option<Vec<String>>,
    /// These go out, and are counted and logged.
    monitor: Option<Vec<String>>,
}

/// Somebody whose code is known beforehand.
#[derive(ToSchema)]
#[schema(examples(json!({"recipient": "+12025550147", "code": "246813", "until": "2026-12-31T00:00:00Z"})))]
pub(crate) struct TestRecipient {
    /// A mailbox or a number in E.164 form.
    recipient: String,
    /// 4 to 10 digits. Never shown again; in a change, left out: as it was.
    #[schema(write_only)]
    code: Option<String>,
    /// When it is an ordinary recipient again: at most 90 days ahead.
    #[schema(format = DateTime)]
    until: String,
}

/// Limits. What is left out, the wider rule decides: the tenant's, then the installation's.
#[derive(ToSchema)]
pub(crate) struct Limits {
    /// Calls of one API key. A tenant's alone.
    calls_per_key: Option<Limit>,
    /// Sends to one user.
    sends_per_user: Option<Limit>,
    /// Open sessions of one user.
    #[schema(minimum = 1)]
    active_per_user: Option<u32>,
    /// Sends asked for by one end-user address.
    sends_per_ip: Option<Limit>,
    /// Sends to one recipient, in the dialects that count by recipients and not by users.
    sends_per_recipient: Option<Limit>,
    /// Wrong codes that were checked without saying whose they are. A tenant's alone.
    code_misses: Option<Limit>,
}

/// At most `max` in any stretch of `seconds`.
#[derive(ToSchema)]
#[schema(examples(json!({"max": 5, "seconds": 300})))]
pub(crate) struct Limit {
    #[schema(minimum = 1)]
    max: u32,
    #[schema(minimum = 1, maximum = 86400)]
    seconds: u32,
}

/// What sends cost. Amounts are decimal texts with at most six decimals; what is left out costs nothing.
#[derive(ToSchema)]
#[schema(examples(json!({"verification": "0.01", "channels": {"sms": {"default": "0.05", "countries": {"US": "0.01"}}}})))]
pub(crate) struct Prices {
    /// Once a session, with its first accepted message.
    verification: String,
    /// For each accepted message, by channel.
    channels: Option<BTreeMap<String, ChannelPrice>>,
}

/// What a message costs on one channel.
#[derive(ToSchema)]
pub(crate) struct ChannelPrice {
    /// Where no country's own price stands.
    default: String,
    /// By the ISO 3166 code of the number's country, in capitals.
    countries: Option<BTreeMap<String, String>>,
}

/// What differs from the installation's.
#[derive(ToSchema)]
pub(crate) struct Settings {
    limits: Option<Limits>,
    /// Without it: the installation's.
    prices: Option<Prices>,
    /// Below this the tenant hears of a low balance (`wallet.low`).
    #[schema(examples("5.00"))]
    low_balance: Option<String>,
    /// The service of calls that name none.
    #[schema(format = "uuid")]
    default_service: Option<String>,
}
