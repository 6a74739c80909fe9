//! One message through one provider, to see that it works.

use std::time::Duration;

use countersign_channels::{TestError, TryOutcome};
use countersign_model::{
    Autofill, Channel, Code, Errand, Flaw, MessageId, Mode, Outgoing, Partition, ProviderName, Recipient, Wording,
};
use countersign_records::Transaction;
use serde::Serialize;
use serde_json::json;

use super::error::ManageError;
use super::order::{Acted, Done, Order};
use crate::languages::LOCALE;
use crate::platform::Platform;

/// Nothing that a person could take for a code that opens something.
const SUBJECT: &str = "Test message";
const BODY: &str = "Test message: an operator tries out this way of delivery. The code {{code}} opens nothing.";
/// Looks like what it is.
const CODE: &str = "000000";
/// How long the message is worth delivering, as providers are told.
const MINUTES: u32 = 10;

/// Said where the provider does not serve the channel, most often because none was named.
const WRONG_CHANNEL: &str =
    "must be one that the provider serves; when it is not named it is email for an address and sms for a number";

/// Whom a test reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderTestDraft {
    /// The way.
    pub channel: Channel,
    /// The person, who should know of it.
    pub recipient: Recipient,
}

impl ProviderTestDraft {
    /// Reads a recipient; without a channel it is a mail to an address and a text message to a number.
    pub fn read(channel: Option<Channel>, to: &str) -> Result<Self, Vec<Flaw>> {
        let channel = channel.unwrap_or(if to.contains('@') { Channel::Email } else { Channel::Sms });
        match Recipient::parse(channel, to) {
            Ok(recipient) => Ok(Self { channel, recipient }),
            Err(_) => Err(vec![Flaw::new("to", "must be an e-mail address, or a number in E.164 form such as +12025550143")]),
        }
    }
}

/// What became of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProviderTestView {
    /// Which provider.
    pub provider: String,
    /// The way.
    pub channel: &'static str,
    /// Masked.
    pub recipient: String,
    /// The message's id, which the provider is told where it takes a reference.
    pub message: String,
    /// `accepted`, `refused`, `throttled`, `unreachable`, `misconfigured`, `unknown` or `unclear`; none: an earlier call with the same
    /// idempotency key sent it and was told.
    pub outcome: Option<&'static str>,
    /// What the provider said, as far as it says nothing of the recipient.
    pub reason: Option<String>,
    /// Its name for the message.
    pub provider_id: Option<String>,
}

impl ProviderTestView {
    /// Whether the provider took it. Not known of a repeated call, which sent nothing.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.outcome == Some(TryOutcome::ACCEPTED)
    }
}

impl Platform {
    /// Sends one message that says of itself that it is a test through exactly that provider: no other one is asked, nothing is charged, and no
    /// session comes of it. The audit log remembers it, with the recipient masked, before it leaves.
    pub async fn test_provider(
        &self,
        order: &Order,
        provider: &ProviderName,
        draft: &ProviderTestDraft,
    ) -> Result<ProviderTestView, ManageError> {
        let ProviderTestDraft { channel, recipient } = draft;
        match self.router.serves(provider, *channel) {
            Some(true) => {}
            Some(false) => return Err(ManageError::invalid("channel", WRONG_CHANNEL)),
            None => return Err(ManageError::Missing("provider")),
        }
        let now = self.clock.now();
        let minted = MessageId::mint(now, &*self.rng, Partition::of(0));
        let prepared = self.router.prepare(self.test_message(minted, *channel, recipient)?);
        let prepared = prepared.map_err(|_| ManageError::Internal("a test message cannot be put into words"))?;
        let masked = recipient.masked();
        let Done { record: message, replayed } = self
            .change(order, None, async |_: &mut Transaction| {
                Ok(Acted {
                    record: minted.to_string(),
                    what: "provider.test",
                    target: provider.to_string(),
                    before: None,
                    after: Some(json!({"channel": channel.as_str(), "recipient": masked})),
                })
            })
            .await?;
        let view = ProviderTestView {
            provider: provider.to_string(),
            channel: channel.as_str(),
            recipient: masked.clone(),
            message,
            outcome: None,
            reason: None,
            provider_id: None,
        };
        if replayed {
            return Ok(view);
        }
        let outcome = self.router.test(provider, prepared).await;
        let outcome =
            outcome.map_err(|(TestError::NoSuchProvider | TestError::DoesNotServe)| ManageError::Missing("provider"))?;
        let reason = outcome.diagnostic().map(|diagnostic| diagnostic.to_string());
        let label = outcome.label();
        let provider_id = if let TryOutcome::Accepted { provider_id } = outcome { provider_id } else { None };
        Ok(ProviderTestView { outcome: Some(label), reason, provider_id, ..view })
    }

    fn test_message(&self, id: MessageId, channel: Channel, recipient: &Recipient) -> Result<Outgoing, ManageError> {
        let subject = (channel == Channel::Email).then(|| SUBJECT.to_owned());
        Ok(Outgoing {
            id,
            errand: Errand::of_nobody(),
            mode: Mode::Live,
            channel,
            recipient: recipient.clone(),
            sender: None,
            code: Code::parse(CODE).map_err(|_| ManageError::Internal("the sample code is none"))?,
            app_name: self.settings.default_service.app_name.clone(),
            locale: LOCALE.to_owned(),
            expires_at: self.clock.now().plus(Duration::from_secs(u64::from(MINUTES) * 60)),
            minutes: MINUTES,
            autofill: Autofill::default(),
            never_share: true,
            wording: Some(Wording { subject, body: BODY.to_owned() }),
            rehearsal: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipient_tells_the_channel_unless_it_is_said() {
        let read = |channel, to| ProviderTestDraft::read(channel, to).map(|draft| draft.channel);
        assert_eq!(read(None, "ann@example.com"), Ok(Channel::Email));
        assert_eq!(read(None, "+12025550143"), Ok(Channel::Sms));
        assert_eq!(read(Some(Channel::Voice), "+12025550143"), Ok(Channel::Voice));
        for (channel, to) in [(Some(Channel::Sms), "ann@example.com"), (None, "ann"), (Some(Channel::Email), "+12025550143")] {
            assert_eq!(read(channel, to).unwrap_err()[0].field, "to", "{to}");
        }
    }
}
