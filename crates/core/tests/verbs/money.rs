//! A caller's own ledger.

use countersign_core::{EntryKind, LedgerFilter};
use countersign_model::Money;

use crate::house::House;

#[tokio::test]
async fn every_line_of_a_ledger_says_what_was_left_after_it() {
    let house = House::new().await;
    let (tenant, wallets) = (house.live.scope.tenant, house.platform.wallets());
    let money = |text: &str| text.parse::<Money>().unwrap();
    for (nth, amount) in ["10", "2.5"].into_iter().enumerate() {
        house.clock.advance(std::time::Duration::from_secs(1));
        wallets.top_up(tenant, money(amount), "", &format!("top-up {nth}")).await.unwrap();
    }
    house.clock.advance(std::time::Duration::from_secs(1));
    wallets.adjust(tenant, money("-4"), "", "adjust").await.unwrap();
    house.clock.advance(std::time::Duration::from_secs(1));
    wallets.adjust(tenant, money("-100"), "", "too much").await.unwrap();
    let read =
        async |filter: LedgerFilter, after, limit| house.platform.ledger(&house.live, &filter, after, limit).await.unwrap();
    let all = read(LedgerFilter::default(), None, 2).await;
    let shown = |entry: &countersign_core::LedgerEntry| (entry.kind, entry.amount, entry.balance_after);
    let expected = [(EntryKind::Clawback, money("-4"), money("8.5")), (EntryKind::Credit, money("2.5"), money("12.5"))];
    assert_eq!(all.rows.iter().map(shown).collect::<Vec<_>>(), expected, "what was refused is not in it");
    let rest = read(LedgerFilter::default(), all.next, 2).await;
    assert_eq!(rest.rows.iter().map(shown).collect::<Vec<_>>(), [(EntryKind::Credit, money("10"), money("10"))]);
    assert_eq!(rest.next, None);
    let credits = read(LedgerFilter { kind: Some(EntryKind::Credit), ..LedgerFilter::default() }, None, 10).await;
    assert_eq!(credits.rows.iter().map(|entry| entry.balance_after).collect::<Vec<_>>(), [money("12.5"), money("10")]);
    let first = LedgerFilter { to: Some(credits.rows[0].at), ..LedgerFilter::default() };
    assert_eq!(read(first, None, 10).await.rows.len(), 1);
    for kind in [EntryKind::Debit, EntryKind::Refund] {
        assert!(read(LedgerFilter { kind: Some(kind), ..LedgerFilter::default() }, None, 10).await.rows.is_empty());
    }
}
