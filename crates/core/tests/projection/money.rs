//! Money: the ledger and the balance say the same, and where they do not somebody hears of it.

use countersign_core::WalletError;
use countersign_model::{Money, WebhookEvent};
use countersign_records::{CutVerdict, LineFilter, LineKind, LineState};
use countersign_session::store::{Credit, SessionStore as _};
use countersign_session::{Billing, NewSession};
use serde_json::{Value, json};

use crate::bench::{Bench, EMAIL, accepted, money, on_both};

/// A fee of 0.10 and 0.30 a message.
fn billed(new: &mut NewSession) {
    new.billing = Some(Billing { fee: money("0.10"), low_at: Some(money("4.50")) });
    for challenge in &mut new.challenges {
        challenge.cost = money("0.30");
    }
}

async fn ledger(bench: &Bench) -> String {
    bench.records.ledger().sum(bench.tenant).await.unwrap().balance.to_string()
}

on_both! {
    async fn what_is_captured_stands_in_the_ledger_line_by_line(bench: Bench) {
        bench.wallets().top_up(bench.tenant, money("5"), "hello", "call 1").await.unwrap();
        let session = bench.open(&[EMAIL], billed).await;
        bench.record(&session, &[(EMAIL, accepted())]).await;
        let silent = bench.open(&[EMAIL], billed).await;
        bench.project().await;
        let balance = bench.store.balance(bench.tenant).await.unwrap();
        assert_eq!((balance.balance, balance.held), (money("4.60"), money("0.40")));
        assert_eq!(ledger(&bench).await, "4.60");
        let lines = bench.records.ledger().list(bench.tenant, LineFilter::default(), 10).await.unwrap();
        let mut told: Vec<_> = lines.iter().map(|line| (line.kind, line.amount.to_string(), line.state)).collect();
        told.sort();
        let applied = LineState::Applied;
        let expected = [
            (LineKind::Credit, "5.00".to_owned(), applied),
            (LineKind::Capture, "-0.30".to_owned(), applied),
            (LineKind::Fee, "-0.10".to_owned(), applied),
        ];
        assert_eq!(told, expected, "{lines:#?}");
        assert_eq!(bench.recorded(session.id()).await.cost, money("0.40"));
        assert_eq!(bench.recorded(silent.id()).await.cost, Money::ZERO);
    }

    async fn a_repeated_top_up_pays_in_once(bench: Bench) {
        let first = bench.wallets().top_up(bench.tenant, money("5"), "", "call 1").await.unwrap();
        assert_eq!((first.line.number, first.line.state, first.repeated), (Some(1), LineState::Applied, false));
        let again = bench.wallets().top_up(bench.tenant, money("5"), "", "call 1").await.unwrap();
        assert_eq!((again.line.id, again.repeated), (first.line.id, true));
        let other = bench.wallets().top_up(bench.tenant, money("6"), "", "call 1").await;
        assert!(matches!(other, Err(WalletError::Mismatch)), "{other:?}");
        let nothing = bench.wallets().top_up(bench.tenant, Money::ZERO, "", "call 2").await;
        assert!(matches!(nothing, Err(WalletError::Amount)), "{nothing:?}");
        let view = bench.wallets().show(bench.tenant).await.unwrap();
        assert_eq!((view.balance.unwrap().balance, view.ledger.balance, view.ledger.pending), (money("5"), money("5"), 0));
    }

    async fn what_would_take_more_than_there_is_is_refused_and_says_so(bench: Bench) {
        bench.wallets().top_up(bench.tenant, money("5"), "", "call 1").await.unwrap();
        let refused = bench.wallets().adjust(bench.tenant, money("-6"), "oops", "call 2").await.unwrap();
        assert_eq!(refused.line.state, LineState::Refused);
        let taken = bench.wallets().adjust(bench.tenant, money("-2"), "mine", "call 3").await.unwrap();
        assert_eq!(taken.line.state, LineState::Applied);
        assert_eq!(ledger(&bench).await, "3.00");
        assert_eq!(bench.store.balance(bench.tenant).await.unwrap().balance, money("3"));
    }

    async fn a_credit_whose_node_died_in_between_is_taken_by_the_next_round(bench: Bench) {
        let credit = |number: u64, amount| countersign_records::NewCredit {
            id: countersign_model::LedgerId::from_bits(number.into()),
            tenant: bench.tenant,
            kind: LineKind::Credit,
            amount: money(amount),
            note: String::new(),
            call: format!("call {number}"),
            at: crate::bench::START,
        };
        bench.records.ledger().book(&credit(1, "5")).await.unwrap();
        bench.records.ledger().book(&credit(2, "7")).await.unwrap();
        // The first one's node died after the step and before it was written down.
        bench.store.credit(Credit { tenant: bench.tenant, number: 1, amount: money("5") }).await.unwrap();
        assert_eq!(bench.wallets().settle_credits().await.unwrap(), 2);
        assert_eq!(bench.store.balance(bench.tenant).await.unwrap().balance, money("12"));
        assert_eq!(bench.wallets().settle_credits().await.unwrap(), 0);
        assert_eq!(bench.records.ledger().sum(bench.tenant).await.unwrap().pending, 0);
    }

    async fn a_cut_is_compared_with_the_ledger_as_it_was_then(bench: Bench) {
        bench.wallets().top_up(bench.tenant, money("5"), "", "call 1").await.unwrap();
        let session = bench.open(&[EMAIL], billed).await;
        bench.record(&session, &[(EMAIL, accepted())]).await;
        bench.clock.advance(std::time::Duration::from_secs(1));
        assert_eq!(bench.wallets().cut(None, 10).await.unwrap(), None);
        // After the cut, and read in the same batch.
        let later = bench.open(&[EMAIL], billed).await;
        bench.record(&later, &[(EMAIL, accepted())]).await;
        bench.project().await;
        assert_eq!(bench.records.wallet_differences().count_open().await.unwrap(), 0);
        assert_eq!(ledger(&bench).await, "4.20");

        // A balance from nowhere.
        bench.store.rebuild(bench.tenant, money("9"), 1).await.unwrap();
        bench.clock.advance(std::time::Duration::from_secs(1));
        bench.wallets().cut(None, 10).await.unwrap();
        bench.project().await;
        let open = bench.records.wallet_differences().list(true, 9).await.unwrap();
        assert_eq!((open.len(), open[0].expected, open[0].found), (1, money("4.20"), money("9")), "{open:?}");
        bench.wallets().settle_credits().await.unwrap();
        assert_eq!(bench.metric("countersign_wallet_differences"), "1");
        let again = countersign_records::CutFound { tenant: bench.tenant, balance: money("9"), credits: 1, at: open[0].at };
        assert_eq!(bench.records.wallet_differences().compare(again).await.unwrap(), CutVerdict::Undecided);

        let rebuilt = bench.wallets().rebuild(bench.tenant).await.unwrap();
        assert_eq!((rebuilt.before.balance, rebuilt.after.balance), (money("9"), money("4.20")));
    }

    async fn a_low_balance_is_told_to_whoever_wants_to_know(bench: Bench) {
        let endpoint = bench.endpoint("https://example.com/", &[WebhookEvent::WalletLow]).await;
        bench.wallets().top_up(bench.tenant, money("4.75"), "", "call 1").await.unwrap();
        let session = bench.open(&[EMAIL], billed).await;
        bench.record(&session, &[(EMAIL, accepted())]).await;
        bench.project().await;
        let deliveries = bench.records.webhook_deliveries().list(bench.tenant, countersign_records::DeliveryFilter::default(), 9).await.unwrap();
        assert_eq!((deliveries.len(), deliveries[0].endpoint), (1, endpoint.id), "{deliveries:?}");
        let body: Value = serde_json::from_str(&deliveries[0].body).unwrap();
        let data = json!({
            "id": bench.tenant.to_string(), "email": "ann@example.com", "plan": "standard", "credits_remaining": 4.35, "currency": "USD",
        });
        assert_eq!((&body["type"], &body["data"]), (&json!("wallet.low"), &data), "{body:#}");
    }
}
