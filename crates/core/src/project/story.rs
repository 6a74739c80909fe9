//! One session and its messages, as the records hold them, and how events change them. Touches nothing but memory.

use std::collections::BTreeMap;

use countersign_model::{
    Channel, Event, EventKind, LogEntry, MessageId, MessageStatus, Mode, Money, Recipient, SessionFacts, SessionId, Timestamp,
};
use countersign_records::{
    MessageChange, MessageRecord, Moment, Realm, RecordedChannel, SessionRecord, SessionState, ShownStatus,
};

use super::fault::Fault;
use super::fingerprint;
use crate::numbers::country;

/// A session and its messages, before and after what a batch tells of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Story {
    before: Option<SessionRecord>,
    /// As it is now; none: nothing was ever told of it.
    pub(super) session: Option<SessionRecord>,
    pub(super) messages: BTreeMap<MessageId, MessageChange>,
}

impl Story {
    pub(super) fn new(session: SessionRecord) -> Self {
        Self { before: Some(session.clone()), session: Some(session), messages: BTreeMap::new() }
    }

    pub(super) fn remember(&mut self, message: MessageRecord) {
        self.messages.insert(message.id, MessageChange { before: Some(message.clone()), after: message, moments: Vec::new() });
    }

    /// The change of the session, if there is one.
    pub(super) fn change(&self) -> Option<(Option<SessionRecord>, SessionRecord)> {
        let session = self.session.clone().filter(|session| self.before.as_ref() != Some(session))?;
        Some((self.before.clone(), session))
    }

    /// The messages that have changed.
    pub(super) fn changes(self) -> impl Iterator<Item = MessageChange> {
        self.messages.into_values().filter(|change| change.before.as_ref() != Some(&change.after) || !change.moments.is_empty())
    }

    /// Whether an event is new: it is known, it comes next, or there is something wrong with it.
    pub(super) fn is_new(&self, entry: &LogEntry, event: &Event) -> Result<bool, Fault> {
        let history = self.session.as_ref().map_or("", |session| &session.history);
        let known = u32::try_from(history.len() / fingerprint::LENGTH).unwrap_or(u32::MAX);
        if event.number > known.saturating_add(1) || event.number == 0 {
            return Err(Fault::Gap { expected: known.saturating_add(1), found: event.number });
        }
        if event.number > known {
            return Ok(true);
        }
        let start = (event.number as usize - 1) * fingerprint::LENGTH;
        let told = history.get(start..start + fingerprint::LENGTH);
        if told == Some(&fingerprint::event(entry, event)) { Ok(false) } else { Err(Fault::Fork { number: event.number }) }
    }

    /// Adds what an entry's step cost: part of what each of its events shows.
    pub(super) fn charge(&mut self, message: Option<MessageId>, amount: Money) -> Result<(), Fault> {
        if let Some(id) = message {
            let found = self.known(id)?;
            found.after.cost = found.after.cost + amount;
        }
        if let Some(session) = &mut self.session {
            session.cost = session.cost + amount;
        }
        Ok(())
    }

    /// Takes a new event in.
    pub(super) fn take_in(&mut self, entry: &LogEntry, event: &Event, session: SessionId) -> Result<(), Fault> {
        if let EventKind::SessionCreated(facts) | EventKind::NoticeOpened(facts) = &event.kind {
            if self.session.is_some() {
                return Err(Fault::Fork { number: event.number });
            }
            let is_notice = matches!(event.kind, EventKind::NoticeOpened(_));
            let status = if is_notice { SessionState::Notice } else { SessionState::Pending };
            self.open(entry, event.number, session, facts, status);
        }
        let number = event.number;
        let Some(record) = &mut self.session else { return Err(Fault::Gap { expected: 1, found: number }) };
        record.history.push_str(&fingerprint::event(entry, event));
        match &event.kind {
            EventKind::SessionResent { messages, expires_at } => {
                (record.status, record.expires_at) = (SessionState::Pending, *expires_at);
                record.attempts_remaining = record.max_attempts;
                for (message, channel) in messages {
                    self.owe(*message, *channel, entry.at, number);
                }
            }
            EventKind::FallbackStarted { message, channel } | EventKind::RetryStarted { message, channel } => {
                self.owe(*message, *channel, entry.at, number);
            }
            EventKind::SessionVerified { channels } => {
                (record.status, record.verified_at) = (SessionState::Verified, Some(entry.at));
                for found in record.channels.iter_mut().filter(|it| channels.contains(&it.channel)) {
                    found.verified = true;
                }
            }
            EventKind::ChannelVerified { channel } => {
                for found in record.channels.iter_mut().filter(|it| it.channel == *channel) {
                    found.verified = true;
                }
            }
            EventKind::SessionExpired => record.status = SessionState::Expired,
            EventKind::SessionLocked => record.status = SessionState::Locked,
            EventKind::SessionCanceled => record.status = SessionState::Canceled,
            EventKind::SessionFailed => record.status = SessionState::Failed,
            EventKind::GuessRefused { attempts_remaining } => record.attempts_remaining = *attempts_remaining,
            EventKind::MessageSent { message, provider, provider_id, .. } => {
                self.known(*message)?.sent(number, entry.at, provider.as_str(), provider_id.clone());
            }
            EventKind::MessageUnclear { message, provider, .. } => {
                self.known(*message)?.unclear(number, entry.at, provider.as_ref().map(|provider| provider.as_str().to_owned()));
            }
            EventKind::MessageFailed { message, reason, .. } => self.known(*message)?.failed(number, entry.at, reason.as_str()),
            EventKind::MessageDelivered { message, at, carrier, .. } => {
                self.known(*message)?.delivered(number, entry.at, at.map_or(entry.at, |at| at.min(entry.at)), carrier.clone());
            }
            EventKind::MessageUndelivered { message, reason, .. } => {
                self.known(*message)?.undelivered(number, entry.at, reason.as_str());
            }
            EventKind::LocaleNamed { locale } => record.named_locale = Some(locale.clone()),
            EventKind::SessionCreated(_)
            | EventKind::NoticeOpened(_)
            | EventKind::RecipientBlocked { .. }
            | EventKind::ContactDue { .. }
            | EventKind::Captured { .. }
            | EventKind::BalanceLow { .. }
            | EventKind::BalanceCut { .. } => {}
        }
        self.show();
        Ok(())
    }

    /// Who is asked on a channel.
    pub(super) fn recipient(&self, channel: Channel) -> Option<&Recipient> {
        self.session.as_ref()?.channels.iter().find(|it| it.channel == channel).map(|it| &it.recipient)
    }

    fn open(&mut self, entry: &LogEntry, number: u32, id: SessionId, facts: &SessionFacts, status: SessionState) {
        let channels = facts.recipients.iter().map(|(channel, recipient)| RecordedChannel {
            channel: *channel,
            recipient: recipient.clone(),
            messages: Vec::new(),
            verified: false,
        });
        self.session = Some(SessionRecord {
            id,
            realm: Realm { scope: entry.scope, mode: entry.mode },
            dialect: facts.dialect,
            service: facts.service,
            purpose: facts.purpose.clone(),
            metadata: facts.metadata.clone(),
            named_locale: None,
            verification_mode: facts.verification_mode,
            max_attempts: facts.max_attempts,
            attempts_remaining: facts.max_attempts,
            channels: channels.collect(),
            status,
            shown_channel: facts.recipients.first().map_or(Channel::Email, |(channel, _)| *channel),
            shown_status: ShownStatus::Pending,
            cost: Money::ZERO,
            created_at: entry.at,
            expires_at: entry.at.plus(facts.life),
            verified_at: None,
            history: String::new(),
        });
        for (message, channel) in &facts.messages {
            self.owe(*message, *channel, entry.at, number);
        }
    }

    /// A new message for a channel.
    fn owe(&mut self, id: MessageId, channel: Channel, at: Timestamp, number: u32) {
        let Some(session) = &mut self.session else { return };
        let Some(found) = session.channels.iter_mut().find(|it| it.channel == channel) else { return };
        found.messages.push(id);
        let country = match &found.recipient {
            Recipient::Phone(number) => country(number).map(|country| country.to_string()),
            Recipient::Email(_) => None,
        };
        let after = MessageRecord {
            id,
            realm: session.realm,
            session: session.id,
            service: session.service,
            channel,
            recipient: found.recipient.clone(),
            status: MessageStatus::Pending,
            provider: None,
            provider_id: None,
            reason: None,
            cost: Money::ZERO,
            country,
            created_at: at,
            sent_at: None,
            delivered_at: None,
            failed_at: None,
            carrier: None,
        };
        let mut change = MessageChange { before: None, after, moments: Vec::new() };
        change.moment(number, at);
        self.messages.insert(id, change);
    }

    fn known(&mut self, id: MessageId) -> Result<&mut MessageChange, Fault> {
        let mode = self.session.as_ref().map_or(Mode::Live, |session| session.realm.mode);
        self.messages.get_mut(&id).ok_or(Fault::UnknownMessage(id.shown(mode)))
    }

    /// Works out what the session is shown as.
    fn show(&mut self) {
        let Some(session) = &mut self.session else { return };
        let newest = |it: &RecordedChannel| it.messages.last().and_then(|id| self.messages.get(id)).map(|change| &change.after);
        let taken = |it: &&RecordedChannel| {
            newest(it).is_some_and(|message| matches!(message.status, MessageStatus::Sent | MessageStatus::Delivered))
        };
        let Some(shown) = session.channels.iter().find(taken).or(session.channels.first()) else { return };
        session.shown_channel = shown.channel;
        session.shown_status = match session.status {
            SessionState::Verified => ShownStatus::Verified,
            SessionState::Expired | SessionState::Canceled => ShownStatus::Expired,
            SessionState::Failed => ShownStatus::Failed,
            SessionState::Pending | SessionState::Locked | SessionState::Notice => {
                match newest(shown).map(|message| message.status) {
                    Some(MessageStatus::Sent) => ShownStatus::Sent,
                    Some(MessageStatus::Delivered) => ShownStatus::Delivered,
                    Some(MessageStatus::Failed) => ShownStatus::Failed,
                    Some(MessageStatus::Pending) | None => ShownStatus::Pending,
                }
            }
        };
    }
}

/// How a message changes. Its status only moves forward.
trait Told {
    fn sent(&mut self, number: u32, at: Timestamp, provider: &str, provider_id: Option<String>);
    fn unclear(&mut self, number: u32, at: Timestamp, provider: Option<String>);
    fn failed(&mut self, number: u32, at: Timestamp, reason: &str);
    fn delivered(&mut self, number: u32, at: Timestamp, arrived_at: Timestamp, carrier: Option<String>);
    fn undelivered(&mut self, number: u32, at: Timestamp, reason: &str);
    fn moment(&mut self, number: u32, at: Timestamp);
}

impl Told for MessageChange {
    fn sent(&mut self, number: u32, at: Timestamp, provider: &str, provider_id: Option<String>) {
        let message = &mut self.after;
        if message.status == MessageStatus::Pending {
            (message.status, message.reason) = (MessageStatus::Sent, None);
        } else if message.sent_at.is_some() {
            return;
        }
        // Where a receipt was quicker, only who took the message is news.
        (message.sent_at, message.provider, message.provider_id) = (Some(at), Some(provider.to_owned()), provider_id);
        self.moment(number, at);
    }

    fn unclear(&mut self, number: u32, at: Timestamp, provider: Option<String>) {
        if self.after.status == MessageStatus::Pending {
            (self.after.provider, self.after.reason) = (provider, Some("unclear".to_owned()));
            self.moment(number, at);
        }
    }

    fn failed(&mut self, number: u32, at: Timestamp, reason: &str) {
        if matches!(self.after.status, MessageStatus::Pending | MessageStatus::Sent) {
            let message = &mut self.after;
            (message.status, message.failed_at, message.reason) = (MessageStatus::Failed, Some(at), Some(reason.to_owned()));
            self.moment(number, at);
        }
    }

    fn delivered(&mut self, number: u32, at: Timestamp, arrived_at: Timestamp, carrier: Option<String>) {
        let message = &mut self.after;
        (message.status, message.delivered_at, message.carrier) = (MessageStatus::Delivered, Some(arrived_at), carrier);
        (message.failed_at, message.reason) = (None, None);
        self.moment(number, at);
    }

    fn undelivered(&mut self, number: u32, at: Timestamp, reason: &str) {
        if self.after.status != MessageStatus::Delivered {
            let message = &mut self.after;
            (message.status, message.failed_at, message.reason) = (MessageStatus::Failed, Some(at), Some(reason.to_owned()));
            self.moment(number, at);
        }
    }

    fn moment(&mut self, number: u32, at: Timestamp) {
        let MessageRecord { status, provider, reason, .. } = &self.after;
        self.moments.push(Moment { number, at, status: *status, provider: provider.clone(), reason: reason.clone() });
    }
}
