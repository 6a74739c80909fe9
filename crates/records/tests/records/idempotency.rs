//! Calls that come twice.

use std::sync::Arc;

use countersign_model::Mode;
use countersign_records::{Claim, KeyedCall, Records, RecordsError};

use crate::base::{Base, NOW, later, on_both, tenant};

fn call(key: &str, body: &str) -> KeyedCall {
    KeyedCall { tenant: tenant("default", 1).id, mode: Mode::Live, key: key.to_owned(), body: body.to_owned() }
}

/// The call's effect is the tenant of that name.
async fn act(records: &Records, call: &KeyedCall, effect: &str, seed: u64) -> Result<Claim, RecordsError> {
    let mut whole = records.begin().await?;
    let claim = whole.claim(call, NOW, later(60)).await?;
    if claim == Claim::First {
        whole.tenants().insert(&tenant(effect, seed)).await?;
        whole.answer(call, &format!("made {effect}")).await?;
        whole.commit().await?;
    }
    Ok(claim)
}

on_both! {
    async fn a_call_that_comes_again_is_answered_and_done_once(base: Base) {
        let records = base.open().await;
        assert_eq!(act(&records, &call("k", "b"), "one", 2).await.unwrap(), Claim::First);
        assert_eq!(act(&records, &call("k", "b"), "two", 3).await.unwrap(), Claim::Answered("made one".to_owned()));
        assert_eq!(act(&records, &call("k", "other"), "two", 3).await.unwrap(), Claim::OtherBody);
        assert_eq!(act(&records, &KeyedCall { mode: Mode::Sandbox, ..call("k", "b") }, "two", 3).await.unwrap(), Claim::First);
        assert_eq!(act(&records, &KeyedCall { tenant: tenant("x", 9).id, ..call("k", "b") }, "three", 4).await.unwrap(), Claim::First);
    }

    async fn what_was_undone_is_not_answered(base: Base) {
        let records = base.open().await;
        act(&records, &call("first", "b"), "one", 2).await.unwrap();
        let refused = act(&records, &call("k", "b"), "one", 3).await;
        assert!(matches!(refused, Err(RecordsError::Exists)), "{refused:?}");
        assert_eq!(act(&records, &call("k", "b"), "two", 3).await.unwrap(), Claim::First);
    }

    async fn of_calls_that_race_with_one_key_one_acts(base: Base) {
        let nodes = [Arc::new(base.open().await), Arc::new(base.open().await)];
        for round in 0..10 {
            let calls: Vec<_> = nodes
                .iter()
                .map(|node| {
                    let node = Arc::clone(node);
                    tokio::spawn(async move { act(&node, &call(&format!("k{round}"), "b"), &format!("t{round}"), round + 5).await.unwrap() })
                })
                .collect();
            let mut told = Vec::new();
            for call in calls {
                told.push(call.await.unwrap());
            }
            told.sort_by_key(|claim| *claim != Claim::First);
            assert_eq!(told, [Claim::First, Claim::Answered(format!("made t{round}"))]);
        }
    }

    async fn an_answer_is_given_until_its_end_and_swept_after_it(base: Base) {
        let records = base.open().await;
        act(&records, &call("k", "b"), "one", 2).await.unwrap();
        act(&records, &call("other", "b"), "two", 3).await.unwrap();
        let mut whole = records.begin().await.unwrap();
        assert_eq!(whole.claim(&call("k", "other"), later(60), later(120)).await.unwrap(), Claim::First);
        whole.answer(&call("k", "other"), "again").await.unwrap();
        whole.commit().await.unwrap();
        assert_eq!(records.sweep_answers(later(59), 10).await.unwrap(), 0);
        assert_eq!(records.sweep_answers(later(60), 10).await.unwrap(), 1);
        assert_eq!(records.sweep_answers(later(120), 10).await.unwrap(), 1);
    }
}
