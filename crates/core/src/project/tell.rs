//! What an entry causes beside the session's own rows.

use std::collections::BTreeSet;

use countersign_model::{
    Channel, EventId, EventKind, LedgerId, LogEntry, MessageId, Mode, Money, Recipient, Rng, SessionId, TenantId, Timestamp,
    WebhookEvent, WebhookFormat,
};
use countersign_records::{MessageRecord, NewCapture, SessionState};

use super::fault::Fault;
use super::story::Story;
use crate::announce::{News, Told};
use crate::bodies;
use crate::delivery_report::report;
use crate::otp_view::OtpView;

/// What an entry on a session causes, in order.
#[derive(Default)]
pub(super) struct Effects {
    /// Whether it told anything new.
    pub(super) is_new: bool,
    pub(super) captures: Vec<NewCapture>,
    pub(super) news: Vec<News>,
    pub(super) contacts: Vec<DueContact>,
    pub(super) low: Vec<LowBalance>,
}

/// A person to be kept.
pub(super) struct DueContact {
    pub(super) tenant: TenantId,
    pub(super) channel: Channel,
    pub(super) recipient: Recipient,
    /// In which language it is to be written to, where the send named one.
    pub(super) locale: Option<String>,
    /// Whether a code reached it. In the sandbox none leaves the house: that proves nothing.
    pub(super) is_proved: bool,
    pub(super) at: Timestamp,
}

/// A balance to be told of.
pub(super) struct LowBalance {
    pub(super) tenant: TenantId,
    pub(super) event_id: String,
    pub(super) available: Money,
    pub(super) at: Timestamp,
}

impl Story {
    /// Takes an entry on this session in. On a fault the story is as good as lost: whoever calls keeps another.
    pub(super) fn hear(
        &mut self,
        entry: &LogEntry,
        session: SessionId,
        wants: impl Fn(WebhookEvent) -> BTreeSet<WebhookFormat>,
        rng: &dyn Rng,
        currency: &str,
    ) -> Result<Effects, Fault> {
        let mut effects = Effects::default();
        let mut charged = false;
        for event in &entry.events {
            if !self.is_new(entry, event)? {
                continue;
            }
            effects.is_new = true;
            self.take_in(entry, event, session)?;
            if !charged {
                charged = true;
                self.charge_all(entry, event.number)?;
            }
            let event_id = EventId { of: entry.of, number: event.number }.to_string();
            let tenant = entry.scope.tenant;
            match &event.kind {
                EventKind::Captured { message, amount } => effects.captures.push(NewCapture {
                    id: LedgerId::mint(entry.at, rng, entry.partition),
                    tenant,
                    amount: *amount,
                    event: event_id.clone(),
                    session,
                    message: *message,
                    at: entry.at,
                }),
                EventKind::ContactDue { channel } => {
                    let recipient = self.recipient(*channel).cloned();
                    let locale = self.session.as_ref().and_then(|session| session.named_locale.clone());
                    let (channel, is_proved, at) = (*channel, entry.mode == Mode::Live, entry.at);
                    let due = recipient.map(|recipient| DueContact { tenant, channel, recipient, locale, is_proved, at });
                    effects.contacts.extend(due);
                }
                EventKind::BalanceLow { available } => {
                    effects.low.push(LowBalance { tenant, event_id: event_id.clone(), available: *available, at: entry.at });
                }
                _ => {}
            }
            if let Some((about, message)) = subject(&event.kind) {
                let told = self.told(about, message, entry.at, wants(about), currency);
                if !told.is_empty() {
                    effects.news.push(News { tenant, event_id, keys: Some(entry.scope.keys), event: about, at: entry.at, told });
                }
            }
        }
        Ok(effects)
    }

    /// What the step cost is known from its first event on. Messages that a later event of the entry makes are charged with it.
    fn charge_all(&mut self, entry: &LogEntry, from: u32) -> Result<(), Fault> {
        for event in entry.events.iter().filter(|event| event.number >= from) {
            if let EventKind::Captured { message, amount } = &event.kind {
                self.charge(*message, *amount)?;
            }
        }
        Ok(())
    }

    /// The session as it stands, in the words of these formats: of those that have a word for this.
    fn told(
        &self,
        about: WebhookEvent,
        message: Option<MessageId>,
        at: Timestamp,
        formats: BTreeSet<WebhookFormat>,
        currency: &str,
    ) -> Told {
        let said = |format| match format {
            WebhookFormat::Native => self.body(message, currency),
            WebhookFormat::Kotp => Some(OtpView::of_record(self.session.as_ref()?, |id| self.known_message(id), at)?.json()),
            WebhookFormat::GetOtp => {
                let session = self.session.as_ref()?;
                let shown = || session.channels.iter().find(|it| it.channel == session.shown_channel)?.messages.last().copied();
                report(session, self.known_message(message.or_else(shown)?)?, about, at)
            }
        };
        formats.into_iter().filter_map(|format| Some((format, said(format)?))).collect()
    }

    fn known_message(&self, id: MessageId) -> Option<&MessageRecord> {
        self.messages.get(&id).map(|change| &change.after)
    }

    /// The session as it stands, and the message that is spoken of.
    fn body(&self, message: Option<MessageId>, currency: &str) -> Option<serde_json::Value> {
        let session = self.session.as_ref()?;
        let known = |id| self.known_message(id);
        let body = bodies::session(session, known, currency);
        let body = if session.status == SessionState::Notice { bodies::notice(body) } else { body };
        match message {
            Some(id) => known(id).map(|message| bodies::message(body, message)),
            None => Some(body),
        }
    }
}

/// What subscribers hear of an event, and which message it is about.
const fn subject(kind: &EventKind) -> Option<(WebhookEvent, Option<MessageId>)> {
    match kind {
        EventKind::SessionCreated(_) => Some((WebhookEvent::SessionCreated, None)),
        EventKind::SessionVerified { .. } => Some((WebhookEvent::SessionVerified, None)),
        EventKind::SessionExpired => Some((WebhookEvent::SessionExpired, None)),
        EventKind::SessionLocked => Some((WebhookEvent::SessionLocked, None)),
        EventKind::SessionCanceled => Some((WebhookEvent::SessionCanceled, None)),
        EventKind::MessageSent { message, .. } => Some((WebhookEvent::MessageSent, Some(*message))),
        EventKind::MessageFailed { message, .. } | EventKind::MessageUndelivered { message, .. } => {
            Some((WebhookEvent::MessageFailed, Some(*message)))
        }
        EventKind::MessageDelivered { message, .. } => Some((WebhookEvent::MessageDelivered, Some(*message))),
        EventKind::SessionResent { .. }
        | EventKind::FallbackStarted { .. }
        | EventKind::RetryStarted { .. }
        | EventKind::LocaleNamed { .. }
        | EventKind::SessionFailed
        | EventKind::ChannelVerified { .. }
        | EventKind::GuessRefused { .. }
        | EventKind::MessageUnclear { .. }
        | EventKind::RecipientBlocked { .. }
        | EventKind::ContactDue { .. }
        | EventKind::Captured { .. }
        | EventKind::BalanceLow { .. }
        | EventKind::BalanceCut { .. }
        | EventKind::NoticeOpened(_) => None,
    }
}
