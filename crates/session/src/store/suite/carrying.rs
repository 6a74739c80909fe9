//! Whose message a right code was.

use countersign_model::{Attempt, Channel, Code, PerChannel, ProviderName, ReceiptFailover, Report};

use super::bench::{Bench, UNREACHABLE, WRONG, code, expect_verdict, fresh};
use super::receipts::{changed, receipt};
use super::retrying::{WAIT, opening, retried, sent, step};
use crate::code::{CodeSource, Seed};
use crate::session::{Carried, Instead, Session};
use crate::store::{Advance, SendAgainVerdict, VerifyVerdict};

const SMS: Channel = Channel::Sms;

/// Who took the messages whose codes a guess was.
async fn carried(bench: &Bench, session: &Session, guess: &str) -> Vec<ProviderName> {
    let carried = expect_verdict!(bench.guess(session, &[(SMS, guess)]).await, VerifyVerdict::Judged(_, _, carried) => carried);
    let provider = |it: Carried| {
        assert_eq!(it.channel, SMS);
        it.provider
    };
    carried.into_iter().map(provider).collect()
}

fn took(name: &str) -> Attempt {
    Attempt::Accepted { provider: ProviderName::new(name), provider_id: None }
}

pub async fn a_right_code_tells_whose_message_it_was(bench: Bench) {
    let names = ["house", "second", "third"];
    for (nth, name) in names.into_iter().enumerate() {
        let mut session = sent(&bench, ReceiptFailover::Provider).await;
        let mut codes = vec![code(SMS).to_owned()];
        for name in &names[1..] {
            bench.clock.advance(WAIT);
            let retry = retried(&bench, &session).await;
            session = bench.record(&retry, &[(SMS, took(name))]).await.0;
            codes.push(bench.new_code(&session, SMS));
        }
        assert_eq!(carried(&bench, &session, WRONG).await, []);
        assert_eq!(carried(&bench, &session, &codes[nth]).await, [ProviderName::new(name)]);
    }
    // A retry that did not go out has no code.
    let session = sent(&bench, ReceiptFailover::Provider).await;
    bench.clock.advance(WAIT);
    let retry = retried(&bench, &session).await;
    let (failed, _) = bench.record(&retry, &[(SMS, UNREACHABLE)]).await;
    assert_eq!(carried(&bench, &failed, code(SMS)).await, [ProviderName::new("house")]);
}

pub async fn of_messages_with_one_code_the_newest_that_arrived_is_told(bench: Bench) {
    let seed = Seed::known(PerChannel::from_fn(|_| Code::parse("482913").unwrap()));
    for (has_first_arrived, name) in [(false, "second"), (true, "house")] {
        let mut open = opening(&bench, ReceiptFailover::Provider);
        open.session.codes = CodeSource::Seed(seed.clone());
        let session = bench.open(open).await;
        let session = bench.accept(&session).await;
        bench.clock.advance(WAIT);
        let step = Advance { seed: seed.clone(), ..step(&bench, &session, Instead::Provider) };
        let sent = fresh(bench.store.advance(step).await.unwrap());
        let retry = expect_verdict!(sent, SendAgainVerdict::Sent(session, _) => *session);
        let retry = bench.record(&retry, &[(SMS, took("second"))]).await.0;
        if has_first_arrived {
            changed(&bench, receipt(&session, SMS, Report::Delivered)).await;
        }
        assert_eq!(carried(&bench, &retry, "482913").await, [ProviderName::new(name)]);
    }
}
