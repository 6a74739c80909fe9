//! How the calls are described to readers. What they mean is decided where they are read, in `request`; a test holds the names together.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// What a send is given.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(examples(json!({"channels": ["email", "sms"], "recipients": {"email": "ann@example.com", "sms": "+12025550143"}})))]
pub(crate) struct SendRequest {
    /// 1 to 4 of `email`, `sms`, `whatsapp`, `voice`; none twice; in either case.
    #[schema(min_items = 1, max_items = 4)]
    channels: Vec<Channel>,
    /// An address for every channel of `channels` and `fallback`: a mailbox for `email`, an E.164 number with its `+` for the others.
    /// Other entries are ignored.
    recipients: BTreeMap<String, String>,
    config: Option<SendConfig>,
    /// What completes the session: one right code, or one of every channel. Also taken as `config.verification_mode`.
    #[schema(default = "any")]
    verification_mode: Option<VerificationMode>,
    /// Your own object, at most 4 KiB; comes back from verify and status.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
    /// Make a contact of the first address that is proved.
    #[schema(default = false)]
    add_contact: Option<bool>,
    /// Send nothing and answer the codes. Test keys always do.
    #[schema(default = false)]
    sandbox_mode: Option<bool>,
    /// Whose templates, senders, limits and defaults apply.
    #[schema(format = "uuid")]
    service_id: Option<String>,
    /// The language of the messages, a BCP 47 tag. Without it the contact's, else by the number's country, else the service's, else `en`.
    #[schema(examples("pt-BR"))]
    locale: Option<String>,
    /// Keeps sessions of one recipient apart.
    #[schema(min_length = 1, max_length = 64, default = "verification")]
    purpose: Option<String>,
    /// Whose limits apply; without it each address stands for a user.
    #[schema(min_length = 1, max_length = 128)]
    user_id: Option<String>,
    /// The END USER's address.
    #[schema(examples("203.0.113.7"))]
    client_ip: Option<String>,
    /// Your own code for every channel.
    #[schema(pattern = "^[0-9]{4,8}$")]
    code: Option<String>,
    /// Your own code for each asked channel.
    codes: Option<BTreeMap<String, String>>,
    /// Channels to go on to, in this order, while nobody has verified.
    #[schema(max_items = 3)]
    fallback: Option<Vec<FallbackChannel>>,
    autofill: Option<AutofillRequest>,
}

/// A way by which a code reaches a person.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(rename_all = "lowercase")]
pub(crate) enum Channel {
    Email,
    Sms,
    Whatsapp,
    Voice,
}

/// What completes a session.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(rename_all = "lowercase")]
pub(crate) enum VerificationMode {
    Any,
    All,
}

/// The rules of a session. What is left out, the service decides.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
pub(crate) struct SendConfig {
    /// Digits of a code.
    #[schema(minimum = 4, maximum = 8, default = 6)]
    otp_length: Option<u8>,
    /// How long the codes live. A service may have a lower ceiling.
    #[schema(minimum = 1, maximum = 60, default = 10)]
    expiry_minutes: Option<u8>,
    /// Calls with a wrong code before the session locks.
    #[schema(minimum = 1, maximum = 10, default = 3)]
    max_attempts: Option<u8>,
    /// One code for all channels. Not with `all`.
    #[schema(default = false)]
    shared_code: Option<bool>,
    /// The same as `verification_mode` beside `config`.
    verification_mode: Option<VerificationMode>,
}

/// A channel whose turn comes later. Not with `all`, nor with your own codes.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
pub(crate) struct FallbackChannel {
    channel: Channel,
    /// Counted from the send; shorter than the codes' life.
    #[schema(minimum = 15, maximum = 900)]
    after_seconds: u16,
}

/// What helps phones to fill the code in. One of the two: both want to be a message's last line.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
pub(crate) struct AutofillRequest {
    /// The host of the page that asks for the code.
    #[schema(examples("example.com"))]
    domain: Option<String>,
    /// The hash of the Android app that asks for the code.
    #[schema(pattern = "^[A-Za-z0-9+/]{11}$")]
    app_hash: Option<String>,
}

/// What is to be verified. One of `otps` and `code`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(examples(json!({"session_token": "eyJ…", "otps": {"email": "482913"}})))]
pub(crate) struct VerifyRequest {
    /// From the send. Also taken as `token`.
    session_token: String,
    /// The same as `session_token`, which wins.
    token: Option<String>,
    /// A guess for each channel. Spaces and dashes do not matter.
    otps: Option<BTreeMap<String, String>>,
    /// One guess.
    code: Option<String>,
    /// Whose guess `code` is; not needed in `any` mode.
    channel: Option<Channel>,
}

/// For whom new codes are made.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(examples(json!({"session_token": "eyJ…"})))]
pub(crate) struct ResendRequest {
    /// From the send. Also taken as `token`.
    session_token: String,
    /// The same as `session_token`, which wins.
    token: Option<String>,
    /// Some of the session's channels; without it all that are not verified.
    #[schema(min_items = 1, max_items = 4)]
    channels: Option<Vec<Channel>>,
    /// The END USER's address.
    client_ip: Option<String>,
}

macro_rules! names_a_session {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(ToSchema)]
        #[expect(dead_code, reason = "described, never built")]
        #[schema(examples(json!({"session_token": "eyJ…"})))]
        pub(crate) struct $name {
            #[doc = $what]
            session_token: String,
            /// The same as `session_token`, which wins.
            token: Option<String>,
        }
    };
}

names_a_session!(
    /// Which session goes to its next fallback channel.
    NextRequest, "From the send. Also taken as `token`."
);
names_a_session!(
    /// Which session is looked at.
    StatusRequest, "From the send, or the session's id (`ses_…`). Also taken as `token`."
);
names_a_session!(
    /// Which session is ended.
    CancelRequest, "From the send. Also taken as `token`."
);

/// Which sessions are listed.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "described, never built")]
pub(crate) struct ListParameters {
    /// `pending`, `verified`, `expired`, `locked`, `canceled` or `failed`.
    status: Option<String>,
    /// Only sessions with this channel.
    #[param(inline)]
    channel: Option<Channel>,
    /// Opened at or after; RFC 3339.
    #[param(format = DateTime)]
    from: Option<String>,
    /// Opened before; RFC 3339.
    #[param(format = DateTime)]
    to: Option<String>,
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u8>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What is said of a contact: of a new one, or of one that changes. An email or a phone is needed.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(examples(json!({"email": "ann@example.com", "external_id": "crm-7", "first_name": "Ann", "tags": ["vip"]})))]
pub(crate) struct ContactRequest {
    /// Your own name for it.
    #[schema(max_length = 128)]
    external_id: Option<String>,
    email: Option<String>,
    /// An E.164 number with its `+`.
    phone: Option<String>,
    #[schema(max_length = 128)]
    first_name: Option<String>,
    #[schema(max_length = 128)]
    last_name: Option<String>,
    /// The language of messages to it, a BCP 47 tag, where a send names none.
    #[schema(max_length = 64, examples("pt-BR"))]
    locale: Option<String>,
    /// Each of 1 to 64 characters. Replaces all tags.
    #[schema(max_items = 50)]
    tags: Option<Vec<String>>,
    /// Your own object, at most 4 KiB. Replaced as a whole.
    #[schema(value_type = Option<Object>)]
    custom_fields: Option<Value>,
    /// Your own object, at most 4 KiB. Replaced as a whole.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
    /// May it be written to, by channel. An object of categories is taken, too: a channel of which every category is declined is declined.
    /// Replaced as a whole.
    preferences: Option<BTreeMap<String, bool>>,
    /// A new one is.
    is_active: Option<bool>,
}

/// Many contacts.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(examples(json!({"contacts": [{"email": "ann@example.com"}, {"phone": "+12025550143"}]})))]
pub(crate) struct BulkContactsRequest {
    #[schema(min_items = 1, max_items = 1000)]
    contacts: Vec<ContactRequest>,
}

/// Nothing needs to be said.
#[derive(ToSchema)]
pub(crate) struct UnsubscribeRequest {}

/// Which contacts are listed.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "described, never built")]
pub(crate) struct ContactListParameters {
    /// Which page, by its number. One of `page`, `starting_after` and `cursor`.
    #[param(minimum = 1, maximum = 100_000, default = 1)]
    page: Option<u32>,
    /// Behind this contact (`con_…`), which may be gone meanwhile.
    starting_after: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u8>,
    /// Only the contact with this address.
    email: Option<String>,
}
