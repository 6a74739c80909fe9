//! Receipts in the random sequences, and what follows them.

use countersign_model::{
    Channel, MessageId, ProviderName, ReceiptFailover, ReceiptPolicy, ReceiptWaits, Reference, Report, SessionId, Undelivered,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::Pair;
use crate::session::{Instead, Session, Turn};
use crate::store::suite::step::AnyStep;
use crate::store::{Advance, Lapse, NamedMessage, ParkedReceipt, Receive};

/// A receipt, or somebody who acts on one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Heard {
    /// About one of the messages that were ever made.
    Receipt { message: Index, through: &'static str, report: Report },
    /// A message is called so by its provider.
    Named { message: Index, called: u8, in_parts: bool },
    /// A receipt that calls its message so.
    Called { called: u8, report: Report },
}

fn report() -> impl Strategy<Value = Report> {
    let bad = select(vec![Undelivered::NotThere, Undelivered::Rejected, Undelivered::Unknown]);
    prop_oneof![1 => Just(Report::Underway), 3 => Just(Report::Delivered), 4 => bad.prop_map(Report::Undelivered)]
}

pub(super) fn heard() -> impl Strategy<Value = Heard> {
    let through = prop_oneof![6 => Just("house"), 2 => Just("sandbox"), 1 => Just("other")];
    prop_oneof![
        6 => (any::<Index>(), through, report())
            .prop_map(|(message, through, report)| Heard::Receipt { message, through, report }),
        1 => (any::<Index>(), 0_u8..2, any::<bool>())
            .prop_map(|(message, called, in_parts)| Heard::Named { message, called, in_parts }),
        1 => (0_u8..2, report()).prop_map(|(called, report)| Heard::Called { called, report }),
    ]
}

/// What a session does about receipts; nothing special in most.
pub(super) fn policy() -> impl Strategy<Value = ReceiptPolicy> {
    let failover = select(vec![ReceiptFailover::None, ReceiptFailover::Provider, ReceiptFailover::Channel]);
    let waits = prop_oneof![Just(ReceiptWaits::DEFAULT), Just(ReceiptWaits::DEFAULT.with(Channel::Sms, 20))];
    (failover, waits).prop_map(|(failover, waits)| ReceiptPolicy { failover, waits })
}

impl Pair {
    /// Notes messages that a step may make.
    pub(super) fn note(&mut self, session: SessionId, messages: impl Iterator<Item = MessageId>) {
        let scope = self.bench.scope;
        self.messages.extend(messages.map(|message| Reference { scope, session, message }));
    }

    pub(super) fn hear(&self, heard: Heard) -> Option<AnyStep> {
        if self.messages.is_empty() {
            return None;
        }
        Some(match heard {
            Heard::Receipt { message, through, report } => AnyStep::Receive(Receive {
                reference: *message.get(&self.messages),
                through: ProviderName::new(through),
                report,
                at: (report == Report::Delivered).then(|| self.bench.now()),
                carrier: (through == "sandbox").then(|| "a network".to_owned()),
            }),
            Heard::Named { message, called, in_parts } => {
                let parts = if in_parts { vec!["0".to_owned(), "1".to_owned()] } else { Vec::new() };
                AnyStep::NameMessage(called.to_string(), NamedMessage { reference: *message.get(&self.messages), parts })
            }
            Heard::Called { called, report } => {
                AnyStep::FindMessage(called.to_string(), ParkedReceipt { report, at: Some(self.bench.now()), carrier: None })
            }
        })
    }

    /// Something follows a message of the session: the first that waits, or the first.
    pub(super) fn instead(&self, session: &Session, step: Advance, by: Instead) -> Advance {
        let newest = || session.challenges().iter().map(|challenge| challenge.message.id);
        let waited = newest().find(|message| session.awaited(*message, self.bench.now()).is_some());
        match waited.or_else(|| newest().next()) {
            Some(of) => Advance { turn: Turn::Instead { of, by }, ..step },
            None => step,
        }
    }

    /// Nothing more is done about a message.
    pub(super) fn give_up(&self, session: &Session) -> Lapse {
        let given_up = session.challenges().last().map(|challenge| challenge.message.id);
        Lapse { scope: self.bench.scope, session: session.id(), given_up }
    }
}
