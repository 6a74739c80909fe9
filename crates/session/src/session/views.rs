//! What may be read off a session.

use countersign_model::{
    Autofill, Channel, Dialect, MessageStatus, Mode, Policy, ProviderName, ReceiptPolicy, Recipient, Scope, ServiceId, SessionId,
    Timestamp, Uuid,
};

use super::{Challenge, End, Session, SessionStatus, TOKEN_LIFE};

impl Session {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// Who may see it.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// Live or sandbox.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// The profile it was opened under.
    #[must_use]
    pub const fn service(&self) -> Option<ServiceId> {
        self.service
    }

    /// What the proof is for.
    #[must_use]
    pub fn purpose(&self) -> &str {
        &self.purpose
    }

    /// The name that messages show.
    #[must_use]
    pub fn app_name(&self) -> &str {
        &self.app_name
    }

    /// The language asked for.
    #[must_use]
    pub fn locale(&self) -> &str {
        &self.locale
    }

    /// The template that its caller chose for its messages.
    #[must_use]
    pub const fn template(&self) -> Option<Uuid> {
        self.template
    }

    /// Whom its messages are to come from, where a provider lets callers choose.
    #[must_use]
    pub fn sender(&self) -> Option<&str> {
        self.sender.as_deref()
    }

    /// The wire it was opened in.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How messages help phones to fill the code in.
    #[must_use]
    pub const fn autofill(&self) -> &Autofill {
        &self.autofill
    }

    /// The caller's JSON object, as text.
    #[must_use]
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// Its rules.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// When it was opened.
    #[must_use]
    pub const fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When its newest codes die.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// When its token stops being recognised.
    #[must_use]
    pub fn token_expires_at(&self) -> Timestamp {
        self.created_at.plus(TOKEN_LIFE)
    }

    /// Before this a resend is too early.
    #[must_use]
    pub const fn resend_after(&self) -> Timestamp {
        self.resend_after
    }

    /// The generation of the newest codes: which of them is to be sent.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// Its channels, in the order in which they were asked.
    #[must_use]
    pub fn challenges(&self) -> &[Challenge] {
        &self.challenges
    }

    /// Those that the newest send asked.
    pub fn newest(&self) -> impl Iterator<Item = &Challenge> {
        self.challenges.iter().filter(|challenge| challenge.message.generation == self.generation)
    }

    /// Everybody whom it asks, now or later.
    pub fn recipients(&self) -> impl Iterator<Item = (Channel, &Recipient)> {
        let asked = self.challenges.iter().map(|challenge| (challenge.channel, &challenge.recipient));
        asked.chain(self.fallback.iter().map(|planned| (planned.channel, &planned.recipient)))
    }

    /// Whether its codes are the known ones of test recipients. It stays so: whoever sends again keeps to it.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.challenges.iter().any(|challenge| challenge.provider() == Some(ProviderName::TEST_RECIPIENT))
    }

    /// The channel whose turn is next.
    #[must_use]
    pub fn next_fallback(&self) -> Option<Channel> {
        self.fallback.first().map(|planned| planned.channel)
    }

    /// When the call came that completed it: the only thing that makes a session verified.
    #[must_use]
    pub const fn verified_at(&self) -> Option<Timestamp> {
        match self.end {
            Some(End::Verified(at)) => Some(at),
            Some(End::Canceled(_) | End::Failed(_) | End::Notice(_)) | None => None,
        }
    }

    /// Calls with a wrong guess that it will still hear.
    #[must_use]
    pub fn attempts_remaining(&self) -> u8 {
        self.policy.max_attempts.saturating_sub(self.wrong)
    }

    /// What it is at `now`. A notice, which has no status of its own, is one that nothing opens: canceled.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> SessionStatus {
        match self.end {
            Some(End::Verified(_)) => SessionStatus::Verified,
            Some(End::Canceled(_) | End::Notice(_)) => SessionStatus::Canceled,
            Some(End::Failed(_)) => SessionStatus::Failed,
            None if now >= self.expires_at => SessionStatus::Expired,
            None if self.attempts_remaining() == 0 => SessionStatus::Locked,
            None => SessionStatus::Pending,
        }
    }

    /// Channels that are proved.
    #[must_use]
    pub fn verified_channels(&self) -> Vec<Channel> {
        self.channels(|challenge| challenge.verified_at.is_some())
    }

    /// Channels that are not proved.
    #[must_use]
    pub fn pending_channels(&self) -> Vec<Channel> {
        self.channels(|challenge| challenge.verified_at.is_none())
    }

    fn channels(&self, wanted: impl Fn(&Challenge) -> bool) -> Vec<Channel> {
        self.challenges.iter().filter(|challenge| wanted(challenge)).map(|challenge| challenge.channel).collect()
    }

    /// The same without anything by which a guess could be tried, and without what only receipts ask for: for a stored reply.
    #[must_use]
    pub fn without_digests(&self) -> Self {
        let mut copy = self.clone();
        copy.steps.clear();
        copy.replaced.clear();
        copy.policy.receipts = ReceiptPolicy::default();
        for challenge in &mut copy.challenges {
            challenge.digests.clear();
            challenge.message.undelivered = None;
            challenge.message.carrier = None;
            challenge.message.follow_at = None;
        }
        copy
    }
}

impl Challenge {
    /// What a status reply says of the channel.
    #[must_use]
    pub const fn status(&self) -> MessageStatus {
        self.message.status
    }

    /// Who took the message.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        self.message.taken_by().map(ProviderName::as_str)
    }
}
