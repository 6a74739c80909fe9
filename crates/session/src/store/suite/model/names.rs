//! Names in the random sequences: sessions that have some, and somebody who looks under all of them.

use countersign_model::Mode;
use proptest::prelude::*;

use super::Pair;
use crate::code::CodeSource;
use crate::guess::Guess;
use crate::session::{Names, NewSession};
use crate::store::NameQuery;
use crate::store::suite::bench::code;

/// Which names an opening asks for: a slot, a recipient, its code.
pub(super) type Named = (bool, bool, bool);

/// Where the codes of an opening come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Codes {
    Given,
    Minted,
    /// The one that comes next in what the next minted opening may choose from.
    Spoiling,
    None,
}

pub(super) fn called() -> impl Strategy<Value = (Named, Codes)> {
    let names = (prop::bool::weighted(0.4), any::<bool>(), prop::bool::weighted(0.8));
    let codes = prop_oneof![
        5 => Just(Codes::Given),
        2 => Just(Codes::Minted),
        3 => Just(Codes::Spoiling),
        1 => Just(Codes::None),
    ];
    (names, codes)
}

impl Pair {
    /// Gives a session the names that it asks for, and its codes.
    pub(super) fn name(&mut self, new: &mut NewSession, person: u32, names: Named, codes: Codes) {
        let (slot, recipient, by_code) = names;
        let print = |kind: &str| self.bench.keys.fingerprint(&[kind.as_bytes(), &person.to_be_bytes()]);
        new.names = Names { slot: slot.then(|| print("slot")), recipient: recipient.then(|| print("recipient")), by_code };
        match codes {
            Codes::Given => {}
            Codes::None => new.codes = CodeSource::Notice,
            Codes::Minted => {
                new.codes = self.bench.minted();
                if let Some((id, _)) = self.spoiled.take() {
                    new.id = id;
                }
            }
            Codes::Spoiling => {
                let (id, taken) = self.spoiled.get_or_insert((self.bench.opening(&[]).session.id, 0));
                for (channel, code) in new.challenges.iter().map(|asked| asked.channel).filter_map(|channel| {
                    Some((channel, self.bench.minted().code(*id, channel, false, *taken, new.policy.code_length)?))
                }) {
                    if let CodeSource::Given(given) = &mut new.codes {
                        given.insert(channel, code);
                    }
                }
                *taken += 1;
            }
        }
    }

    /// Under every name the same is found in both.
    pub(super) async fn look(&self) {
        let (bench, mut queries) = (&self.bench, Vec::new());
        for person in 0..2_u32 {
            let print = |kind: &str| bench.keys.fingerprint(&[kind.as_bytes(), &person.to_be_bytes()]);
            queries.extend([NameQuery::Slot(print("slot")), NameQuery::Recipient(print("recipient"))]);
        }
        for (id, _) in &self.sessions {
            let Some(session) = self.memory.find(bench.scope, *id).await.unwrap() else { continue };
            for challenge in session.challenges() {
                for text in [code(challenge.channel).to_owned(), bench.new_code(&session, challenge.channel)] {
                    queries.push(NameQuery::Code { mode: Mode::Live, guess: Guess::read(&text).unwrap() });
                }
            }
        }
        for query in queries {
            let found = bench.store.named(bench.scope, query.clone()).await.unwrap();
            assert_eq!(found, self.memory.named(bench.scope, query.clone()).await.unwrap(), "{query:?}");
        }
    }
}
