//! A session as an engine keeps it that has its own copy of the rules, in scripts: what they read and change lies open, value by value, at
//! fixed places; what only Rust reads is one closed frame. The places stand once more in the scripts.
//!
//! Moments and spans are whole milliseconds, amounts whole millionths.

mod receipts;
mod wire;
mod words;

use std::time::Duration;

use countersign_model::{
    AllFailed, Autofill, Channel, Dialect, MessageId, Money, Policy, ReceiptPolicy, Recipient, ResendPolicy, ServiceId,
    SessionId, StepId, Timestamp, Uuid, VerificationMode,
};
use serde::{Deserialize, Serialize};

use super::bill::Fee;
use super::{BeforeResend, Bill, Billing, Challenge, Done, End, GuessResult, Judgement, Message, PlannedChannel, Session};
use crate::code::{CodeDigest, SubjectKey};

use self::wire::Kind;
pub(crate) use wire::{Malformed, Reader, Writer};
pub(crate) use words::{
    channel, channel_tags, channels, mode, mode_number, read_owned, read_provider, reason, reason_number, scope, scope_bytes,
    undelivered, undelivered_number, write_attempt,
};

/// First value of every packed one: which layout follows.
pub(crate) const LAYOUT: u8 = 1;
/// Values of a session, of a challenge, of a planned channel, of a digest, of a judgement.
const SESSION: usize = 32;
const CHALLENGE: usize = 15;
const PLANNED: usize = 6;
const DIGEST: usize = 5;
const JUDGEMENT: usize = 7;
/// The end of a notice. Between it and the other ends lie what scripts call a session without one.
const NOTICE: u8 = 6;

/// What never changes and no script reads.
#[derive(Serialize, Deserialize)]
struct Frame<'a> {
    id: [u8; 16],
    scope: [u8; 17],
    dialect: Dialect,
    service: Option<ServiceId>,
    purpose: &'a str,
    app_name: &'a str,
    locale: &'a str,
    template: Option<Uuid>,
    #[serde(borrow)]
    sender: Option<&'a str>,
    autofill: Autofill,
    metadata: &'a str,
}

impl Session {
    /// Packs it, digests and remembered steps with it.
    pub(crate) fn pack(&self, out: &mut Writer) -> Result<(), Malformed> {
        let policy = &self.policy;
        out.array(SESSION + usize::from(self.has_receipts())).int(LAYOUT).bytes(&self.frame()?).int(mode_number(self.mode));
        out.flag(policy.verification_mode == VerificationMode::All).flag(policy.shared_code);
        out.flag(policy.resend == ResendPolicy::KeepPrevious).flag(policy.resend_unlocks);
        out.flag(policy.all_failed == AllFailed::Session).flag(self.add_contact);
        out.int(policy.code_length).int(millis(policy.life)).int(policy.max_attempts).int(millis(policy.resend_after));
        out.int(self.created_at.millis()).int(self.expires_at.millis()).int(self.resend_after.millis());
        out.int(self.generation).int(self.wrong).flag(self.expiry_told).int(self.events);
        match &self.before_resend {
            Some(before) => out.int(before.expires_at.millis()).int(before.wrong),
            None => out.none().int(0),
        };
        let (how, when) = match self.end {
            None => (0, 0),
            Some(End::Verified(at)) => (1, at.millis()),
            Some(End::Canceled(at)) => (2, at.millis()),
            Some(End::Failed(at)) => (3, at.millis()),
            Some(End::Notice(at)) => (NOTICE, at.millis()),
        };
        out.int(how).int(when);
        self.pack_bill(out);
        out.array(self.challenges.len());
        for challenge in &self.challenges {
            challenge.pack(out)?;
        }
        out.array(self.fallback.len());
        for planned in &self.fallback {
            planned.pack(out)?;
        }
        out.bytes(&self.users.iter().flat_map(|user| user.0).collect::<Vec<u8>>());
        out.array(self.steps.len() * 2);
        for (step, done) in &self.steps {
            out.bytes(&step.bits().to_be_bytes());
            match done {
                Done::Plain => out.int(0),
                Done::Sent(channels) => out.bytes(&channel_tags(channels)),
                Done::Judged(judgement) => judgement.pack(out),
            };
        }
        if self.has_receipts() {
            self.pack_receipts(out);
        }
        Ok(())
    }

    fn frame(&self) -> Result<Vec<u8>, Malformed> {
        let frame = Frame {
            id: self.id.bits().to_be_bytes(),
            scope: scope_bytes(self.scope),
            dialect: self.dialect,
            service: self.service,
            purpose: &self.purpose,
            app_name: &self.app_name,
            locale: &self.locale,
            template: self.template,
            sender: self.sender.as_deref(),
            autofill: self.autofill.clone(),
            metadata: &self.metadata,
        };
        postcard::to_stdvec(&frame).map_err(|_| Malformed)
    }

    fn pack_bill(&self, out: &mut Writer) {
        let Some(bill) = &self.bill else {
            out.none().none().int(0).int(0);
            return;
        };
        let state = match bill.state {
            Fee::Held => 0,
            Fee::Captured => 1,
            Fee::Released => 2,
        };
        out.int(bill.terms.fee.micros()).int_or_none(bill.terms.low_at.map(Money::micros)).int(state).int(bill.captured.micros());
    }

    /// Reads a packed session.
    pub(crate) fn unpack(packed: &[u8]) -> Result<Self, Malformed> {
        let mut from = Reader::new(packed);
        let has_receipts = one_more(from.array()?, SESSION)?;
        if from.int::<u8>()? != LAYOUT {
            return Err(Malformed);
        }
        let frame: Frame<'_> = postcard::from_bytes(from.bytes()?).map_err(|_| Malformed)?;
        let mode = mode(from.int()?)?;
        let [all, shared_code, keep_previous, resend_unlocks, keep_failed, add_contact] = read_flags(&mut from)?;
        let policy = Policy {
            code_length: from.int()?,
            life: span(&mut from)?,
            max_attempts: from.int()?,
            verification_mode: if all { VerificationMode::All } else { VerificationMode::Any },
            shared_code,
            resend_after: span(&mut from)?,
            resend: if keep_previous { ResendPolicy::KeepPrevious } else { ResendPolicy::Rotate },
            resend_unlocks,
            all_failed: if keep_failed { AllFailed::Session } else { AllFailed::Error },
            receipts: ReceiptPolicy::default(),
        };
        let mut session = Self {
            id: SessionId::from_bits(u128::from_be_bytes(frame.id)),
            scope: scope(frame.scope)?,
            mode,
            dialect: frame.dialect,
            service: frame.service,
            purpose: frame.purpose.to_owned(),
            app_name: frame.app_name.to_owned(),
            locale: frame.locale.to_owned(),
            template: frame.template,
            sender: frame.sender.map(str::to_owned),
            autofill: frame.autofill,
            metadata: frame.metadata.to_owned(),
            add_contact,
            policy,
            created_at: moment(&mut from)?,
            expires_at: moment(&mut from)?,
            resend_after: moment(&mut from)?,
            generation: from.int()?,
            wrong: from.int()?,
            expiry_told: from.flag()?,
            events: from.int()?,
            before_resend: read_before_resend(&mut from)?,
            end: read_end(&mut from)?,
            bill: read_bill(&mut from)?,
            challenges: read_list(&mut from, Challenge::unpack)?,
            fallback: read_list(&mut from, PlannedChannel::unpack)?,
            users: read_users(&mut from)?,
            steps: read_steps(&mut from)?.into(),
            replaced: Vec::new(),
        };
        if has_receipts {
            session.unpack_receipts(&mut from)?;
        }
        from.end()?;
        Ok(session)
    }
}

impl Challenge {
    fn pack(&self, out: &mut Writer) -> Result<(), Malformed> {
        let message = &self.message;
        out.array(CHALLENGE + usize::from(message.has_receipt()))
            .int(self.channel.tag())
            .bytes(&pack_recipient(&self.recipient)?)
            .bytes(&self.budget.0);
        out.bytes(&message.id.bits().to_be_bytes()).int(message.generation);
        write_attempt(out, &message.attempt);
        out.int(words::status_number(message.status));
        out.int_or_none(message.sent_at.map(Timestamp::millis)).int_or_none(message.delivered_at.map(Timestamp::millis));
        out.int(message.cost.micros()).int(message.lease_until.millis());
        out.int_or_none(self.verified_at.map(Timestamp::millis));
        out.array(self.digests.len() * DIGEST);
        for digest in &self.digests {
            let (kid, mac) = digest.parts();
            out.bytes(&kid).bytes(&mac).int(digest.generation).int(digest.expires_at.millis()).flag(digest.retiring);
        }
        if message.has_receipt() {
            message.pack_receipt(out);
        }
        Ok(())
    }

    fn unpack(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let has_receipts = one_more(from.array()?, CHALLENGE)?;
        let channel = channel(from.int()?)?;
        let recipient = read_recipient(from)?;
        let budget = SubjectKey(from.fixed()?);
        let mut message = Message {
            id: MessageId::from_bits(from.id()?),
            generation: from.int()?,
            attempt: words::read_attempt(from)?,
            status: words::status(from.int()?)?,
            sent_at: from.or_none(moment)?,
            delivered_at: from.or_none(moment)?,
            undelivered: None,
            carrier: None,
            follow_at: None,
            cost: amount(from)?,
            lease_until: moment(from)?,
        };
        let verified_at = from.or_none(moment)?;
        let values = from.array()?;
        let mut digests = Vec::with_capacity(values / DIGEST);
        for _ in 0..values / DIGEST {
            digests.push(CodeDigest::from_parts(from.fixed()?, from.fixed()?, from.int()?, moment(from)?, from.flag()?));
        }
        if has_receipts {
            message.unpack_receipt(from)?;
        }
        Ok(Self { channel, recipient, message, verified_at, digests, budget })
    }
}

impl PlannedChannel {
    fn pack(&self, out: &mut Writer) -> Result<(), Malformed> {
        out.array(PLANNED).int(self.channel.tag()).bytes(&pack_recipient(&self.recipient)?).bytes(&self.budget.0);
        out.int(self.cost.micros()).int(millis(self.after)).int(self.at.millis());
        Ok(())
    }

    fn unpack(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.array_of(PLANNED)?;
        Ok(Self {
            channel: channel(from.int()?)?,
            recipient: read_recipient(from)?,
            budget: SubjectKey(from.fixed()?),
            cost: amount(from)?,
            after: span(from)?,
            at: moment(from)?,
        })
    }
}

impl Judgement {
    fn pack<'a>(&self, out: &'a mut Writer) -> &'a mut Writer {
        let result = |(channel, result): &(Channel, GuessResult)| {
            let number = match result {
                GuessResult::Right => 0,
                GuessResult::Wrong => 1,
                GuessResult::NotInSession => 2,
                GuessResult::VerifiedBefore => 3,
            };
            [channel.tag(), number]
        };
        out.array(JUDGEMENT).bytes(&self.results.iter().flat_map(result).collect::<Vec<u8>>());
        out.flag(self.verified).flag(self.session_verified).int(self.attempts_remaining);
        out.bytes(&channel_tags(&self.verified_channels)).bytes(&channel_tags(&self.pending_channels));
        out.int_or_none(self.verified_at.map(Timestamp::millis))
    }

    /// Reads a packed judgement.
    pub(crate) fn unpack(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.array_of(JUDGEMENT)?;
        let result = |pair: &[u8]| {
            let result = match pair[1] {
                0 => GuessResult::Right,
                1 => GuessResult::Wrong,
                2 => GuessResult::NotInSession,
                3 => GuessResult::VerifiedBefore,
                _ => return Err(Malformed),
            };
            Ok((channel(pair[0])?, result))
        };
        Ok(Self {
            results: from.bytes()?.chunks_exact(2).map(result).collect::<Result<_, _>>()?,
            verified: from.flag()?,
            session_verified: from.flag()?,
            attempts_remaining: from.int()?,
            verified_channels: channels(from.bytes()?)?,
            pending_channels: channels(from.bytes()?)?,
            verified_at: from.or_none(moment)?,
        })
    }
}

/// Whether one value more stands there than at first.
const fn one_more(values: usize, at_first: usize) -> Result<bool, Malformed> {
    match values.checked_sub(at_first) {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => Err(Malformed),
    }
}

/// A span in whole milliseconds.
pub(crate) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// A moment in milliseconds.
pub(crate) fn moment(from: &mut Reader<'_>) -> Result<Timestamp, Malformed> {
    from.int().map(Timestamp::from_millis)
}

/// An amount in millionths.
pub(crate) fn amount(from: &mut Reader<'_>) -> Result<Money, Malformed> {
    from.int().and_then(|micros| Money::from_micros(micros).ok_or(Malformed))
}

fn span(from: &mut Reader<'_>) -> Result<Duration, Malformed> {
    from.int().map(Duration::from_millis)
}

/// As it is, without checking it anew: it was checked when it came in.
fn pack_recipient(recipient: &Recipient) -> Result<Vec<u8>, Malformed> {
    postcard::to_stdvec(recipient).map_err(|_| Malformed)
}

fn read_recipient(from: &mut Reader<'_>) -> Result<Recipient, Malformed> {
    postcard::from_bytes(from.bytes()?).map_err(|_| Malformed)
}

fn read_flags<const N: usize>(from: &mut Reader<'_>) -> Result<[bool; N], Malformed> {
    let mut flags = [false; N];
    for flag in &mut flags {
        *flag = from.flag()?;
    }
    Ok(flags)
}

fn read_list<T>(from: &mut Reader<'_>, one: fn(&mut Reader<'_>) -> Result<T, Malformed>) -> Result<Vec<T>, Malformed> {
    (0..from.array()?).map(|_| one(from)).collect()
}

fn read_before_resend(from: &mut Reader<'_>) -> Result<Option<BeforeResend>, Malformed> {
    let expires_at = from.or_none(moment)?;
    let wrong = from.int()?;
    Ok(expires_at.map(|expires_at| BeforeResend { expires_at, wrong }))
}

fn read_end(from: &mut Reader<'_>) -> Result<Option<End>, Malformed> {
    let how: u8 = from.int()?;
    let when = moment(from)?;
    match how {
        0 => Ok(None),
        1 => Ok(Some(End::Verified(when))),
        2 => Ok(Some(End::Canceled(when))),
        3 => Ok(Some(End::Failed(when))),
        NOTICE => Ok(Some(End::Notice(when))),
        _ => Err(Malformed),
    }
}

fn read_bill(from: &mut Reader<'_>) -> Result<Option<Bill>, Malformed> {
    let fee = from.or_none(amount)?;
    let low_at = from.or_none(amount)?;
    let state = match from.int::<u8>()? {
        0 => Fee::Held,
        1 => Fee::Captured,
        2 => Fee::Released,
        _ => return Err(Malformed),
    };
    let captured = amount(from)?;
    Ok(fee.map(|fee| Bill { terms: Billing { fee, low_at }, state, captured }))
}

fn read_users(from: &mut Reader<'_>) -> Result<Vec<SubjectKey>, Malformed> {
    let (users, []) = from.bytes()?.as_chunks::<16>() else { return Err(Malformed) };
    Ok(users.iter().map(|user| SubjectKey(*user)).collect())
}

fn read_steps(from: &mut Reader<'_>) -> Result<Vec<(StepId, Done)>, Malformed> {
    let step = |from: &mut Reader<'_>| {
        let id = StepId::from_bits(from.id()?);
        let done = match from.kind() {
            Kind::Number => from.int::<u8>().map(|_| Done::Plain),
            Kind::Bytes => from.bytes().and_then(channels).map(Done::Sent),
            Kind::Other => Judgement::unpack(from).map(Done::Judged),
        };
        Ok((id, done?))
    };
    (0..from.array()? / 2).map(|_| step(from)).collect()
}
