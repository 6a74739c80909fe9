//! Whose message brought a code that came back right.
//!
//! A channel may have several codes alive, each of a message of its own, and a digest does not say whose it is. But digests and messages
//! stand in one order: a message that certainly did not go out has left neither, and the oldest go first. So they are counted from the
//! newest on.

use countersign_model::{Channel, MessageStatus, ProviderName, VerificationMode};

use super::{Attempt, Challenge, GuessResult, Judgement, Session};

/// The channel of a code that came back right, and how many messages ago its message was sent there. 0: it is the newest.
pub(crate) type Opened = (Channel, u8);

/// A message whose code came back right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The channel that it proved.
    pub channel: Channel,
    /// Who took it.
    pub provider: ProviderName,
}

impl Session {
    /// The messages to which the codes belonged. Where one channel's messages had the same code, it is the newest that is known to have
    /// arrived, else the newest. One that no provider is known to have taken, or that is not remembered any more, is left out.
    pub(crate) fn carried(&self, opened: &[Opened]) -> Vec<Carried> {
        let carried = |challenge: &Challenge| {
            let own = opened.iter().filter(|(channel, _)| *channel == challenge.channel);
            let mut messages: Vec<_> = own.map(|(_, age)| (*age, self.message_ago(challenge, *age))).collect();
            messages.sort_unstable_by_key(|(age, _)| *age);
            let arrived =
                |(_, message): &&(u8, Option<(MessageStatus, _)>)| matches!(message, Some((MessageStatus::Delivered, _)));
            let (_, message) = messages.iter().find(arrived).or(messages.first())?;
            let (_, provider) = (*message)?;
            Some(Carried { channel: challenge.channel, provider: provider?.clone() })
        };
        self.challenges.iter().filter_map(carried).collect()
    }

    /// What a judgement that was given before says of it: which channels were proved, but no longer by which code.
    pub(crate) fn carried_before(&self, judgement: &Judgement) -> Vec<Carried> {
        let proved: Vec<Opened> = match self.policy.verification_mode {
            VerificationMode::Any if !judgement.session_verified => Vec::new(),
            VerificationMode::Any => judgement.verified_channels.iter().map(|channel| (*channel, 0)).collect(),
            VerificationMode::All => {
                let right = judgement.results.iter().filter(|(_, result)| *result == GuessResult::Right);
                right.map(|(channel, _)| (*channel, 0)).collect()
            }
        };
        self.carried(&proved)
    }

    /// What is known of the message that was sent on a channel so many messages ago, and who took it.
    fn message_ago<'a>(&'a self, challenge: &'a Challenge, age: u8) -> Option<(MessageStatus, Option<&'a ProviderName>)> {
        let Some(before) = usize::from(age).checked_sub(1) else {
            let taken_by = match &challenge.message.attempt {
                Attempt::Accepted { provider, .. } => Some(provider),
                Attempt::Sending | Attempt::Unclear { .. } | Attempt::Failed(_) => None,
            };
            return Some((challenge.message.status, taken_by));
        };
        let replaced = self.replaced.iter().rev().filter(|replaced| replaced.channel == challenge.channel).nth(before)?;
        // One of which nobody knows whether it was taken is pending.
        Some((replaced.status, replaced.provider.as_ref().filter(|_| replaced.status != MessageStatus::Pending)))
    }
}

impl Challenge {
    /// How many messages ago the message was sent whose code stands at `place` among the digests.
    pub(super) fn age(&self, place: usize) -> u8 {
        let newest_is_there = self.digests.last().is_some_and(|newest| newest.generation == self.message.generation);
        let newer = self.digests.len() - 1 - place + usize::from(!newest_is_there);
        u8::try_from(newer).unwrap_or(u8::MAX)
    }
}
