//! Money.

use countersign_model::{LedgerId, Money, Partition, SeededRng, SessionId, TenantId, Timestamp};
use countersign_records::{
    Booked, CutFound, CutVerdict, EntryKind, LedgerLine, LineFilter, LineKind, LineState, NewCapture, NewCredit, Records,
    RecordsError, StatementFilter,
};

use crate::base::{Base, NOW, later, on_both, tenant};

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

/// Another one for every name.
fn seed(name: &str) -> u64 {
    name.bytes().fold(7, |seed, byte| seed * 131 % 1_000_003 + u64::from(byte))
}

fn credit(tenant: TenantId, call: &str, amount: &str) -> NewCredit {
    let seed = seed(call);
    NewCredit {
        id: LedgerId::mint(NOW, &SeededRng::new(seed), tenant.partition()),
        tenant,
        kind: LineKind::Credit,
        amount: money(amount),
        note: "thanks".to_owned(),
        call: call.to_owned(),
        at: NOW,
    }
}

fn capture(tenant: TenantId, event: &str, amount: &str) -> NewCapture {
    let seed = seed(event);
    NewCapture {
        id: LedgerId::mint(later(1), &SeededRng::new(seed), tenant.partition()),
        tenant,
        amount: money(amount),
        event: event.to_owned(),
        session: SessionId::mint(NOW, &SeededRng::new(1), Partition::of(0)),
        message: None,
        at: later(1),
    }
}

async fn ann(records: &Records) -> TenantId {
    let tenant = tenant("ann", 1);
    records.tenants().insert(&tenant).await.unwrap();
    tenant.id
}

async fn book(records: &Records, credit: &NewCredit) -> LedgerLine {
    match records.ledger().book(credit).await.unwrap() {
        Booked::New(line) => line,
        other => panic!("{other:?}"),
    }
}

async fn balance(records: &Records, tenant: TenantId) -> String {
    records.ledger().sum(tenant).await.unwrap().balance.to_string()
}

fn cut(tenant: TenantId, balance: &str, credits: u64, at: Timestamp) -> CutFound {
    CutFound { tenant, balance: money(balance), credits, at }
}

on_both! {
    async fn a_statement_says_what_was_left_after_each_line(base: Base) {
        let records = base.open().await;
        let ann = ann(&records).await;
        let refused = book(&records, &credit(ann, "refused", "7")).await;
        records.ledger().settle(ann, refused.number.unwrap(), false, NOW).await.unwrap();
        book(&records, &credit(ann, "a", "5")).await;
        records.ledger().capture(&[capture(ann, "fee", "0.25")]).await.unwrap();
        let read = async |filter, after| {
            let lines = records.ledger().statement(ann, filter, after, 9).await.unwrap();
            lines.into_iter().map(|it| (it.kind, it.balance.to_string(), it.line.id)).collect::<Vec<_>>()
        };
        let all = read(StatementFilter::default(), None).await;
        let shown: Vec<_> = all.iter().map(|(kind, balance, _)| (*kind, balance.as_str())).collect();
        assert_eq!(shown, [(EntryKind::Debit, "4.75"), (EntryKind::Credit, "5.00")]);
        assert_eq!(read(StatementFilter::default(), Some(all[0].2)).await, all[1..]);
        let of = |kind| StatementFilter { kind: Some(kind), ..StatementFilter::default() };
        assert_eq!(read(of(EntryKind::Credit), None).await, all[1..]);
        assert_eq!(read(of(EntryKind::Debit), None).await, all[..1]);
        for none in [of(EntryKind::Refund), of(EntryKind::Clawback), StatementFilter { to: Some(NOW), ..StatementFilter::default() }] {
            assert_eq!(read(none, None).await, []);
        }
    }

    async fn credits_are_numbered_without_gaps_and_a_repeated_call_books_nothing(base: Base) {
        let records = base.open().await;
        let ann = ann(&records).await;
        let first = book(&records, &credit(ann, "a", "5")).await;
        assert_eq!((first.number, first.state), (Some(1), LineState::Pending));
        assert_eq!(records.ledger().book(&credit(ann, "a", "5")).await.unwrap(), Booked::Before(first));
        assert_eq!(records.ledger().book(&credit(ann, "a", "6")).await.unwrap(), Booked::Other);
        assert_eq!(book(&records, &credit(ann, "b", "0.5")).await.number, Some(2));
        assert_eq!(balance(&records, ann).await, "5.50");
        let unknown = TenantId::mint(NOW, &SeededRng::new(99), Partition::of(0));
        let refused = records.ledger().book(&credit(unknown, "c", "1")).await;
        assert!(matches!(refused, Err(RecordsError::Missing)), "{refused:?}");
    }

    async fn credits_that_race_get_a_number_each(base: Base) {
        let records = base.open().await;
        let ann = ann(&records).await;
        let racing = (0..20).map(|nth| {
            let records = records.clone();
            tokio::spawn(async move { book(&records, &credit(ann, &format!("call {nth:03}"), "1")).await.number.unwrap() })
        });
        let mut numbers = Vec::new();
        for booked in racing.collect::<Vec<_>>() {
            numbers.push(booked.await.unwrap());
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
        assert_eq!(balance(&records, ann).await, "20.00");
    }

    async fn the_sum_holds_everything_but_what_was_refused(base: Base) {
        let records = base.open().await;
        let ann = ann(&records).await;
        book(&records, &credit(ann, "a", "5")).await;
        book(&records, &NewCredit { kind: LineKind::Adjustment, ..credit(ann, "b", "-9") }).await;
        records.ledger().capture(&[capture(ann, "evt_1_1", "0.25"), capture(ann, "evt_1_2", "0.5")]).await.unwrap();
        assert_eq!(balance(&records, ann).await, "-4.75");
        let pending = records.ledger().pending(10).await.unwrap();
        assert_eq!(pending.iter().map(|line| line.number).collect::<Vec<_>>(), [Some(1), Some(2)]);
        assert!(records.ledger().settle(ann, 1, true, NOW).await.unwrap());
        assert!(records.ledger().settle(ann, 2, false, NOW).await.unwrap());
        assert!(!records.ledger().settle(ann, 2, true, NOW).await.unwrap(), "settled twice");
        assert_eq!(balance(&records, ann).await, "4.25");
        let lines = records.ledger().list(ann, LineFilter::default(), 10).await.unwrap();
        let summed: Money = lines.iter().filter(|line| line.state != LineState::Refused).map(|line| line.amount).sum();
        assert_eq!((lines.len(), summed.to_string()), (4, "4.25".to_owned()), "{lines:#?}");
        let fees = records.ledger().list(ann, LineFilter { kind: Some(LineKind::Fee), before: None }, 1).await.unwrap();
        assert_eq!(fees[0].kind, LineKind::Fee);
        let rest = records.ledger().list(ann, LineFilter { kind: Some(LineKind::Fee), before: Some(fees[0].id) }, 9).await.unwrap();
        assert_eq!(rest.len(), 1, "{rest:#?}");
    }

    async fn an_event_is_captured_once(base: Base) {
        let records = base.open().await;
        let ann = ann(&records).await;
        records.ledger().capture(&[capture(ann, "evt_1_1", "0.25")]).await.unwrap();
        let again = NewCapture { id: LedgerId::from_bits(7), ..capture(ann, "evt_1_1", "0.25") };
        let refused = records.ledger().capture(&[again]).await.unwrap_err();
        assert!(matches!(refused, RecordsError::Exists) && refused.is_of_the_data(), "{refused:?}");
        assert_eq!(balance(&records, ann).await, "-0.25");
    }

    async fn a_cut_that_is_what_the_ledger_says_is_no_alarm(base: Base) {
        let records = base.open().await;
        let ann = ann(&records).await;
        book(&records, &credit(ann, "a", "5")).await;
        records.ledger().settle(ann, 1, true, NOW).await.unwrap();
        records.ledger().capture(&[capture(ann, "evt_1_1", "0.25")]).await.unwrap();
        // The second credit was taken into the balance after the cut, and settled before the cut was read.
        book(&records, &credit(ann, "b", "7")).await;
        records.ledger().settle(ann, 2, true, later(90)).await.unwrap();
        let compared = records.wallet_differences().compare(cut(ann, "4.75", 1, later(60))).await.unwrap();
        assert_eq!(compared, CutVerdict::Equal);
        let after = records.wallet_differences().compare(cut(ann, "11.75", 2, later(120))).await.unwrap();
        assert_eq!(after, CutVerdict::Equal);
        let before = records.wallet_differences().compare(cut(ann, "4.75", 1, later(60))).await.unwrap();
        assert_eq!(before, CutVerdict::Undecided, "a cut is compared once");
    }

    async fn a_cut_that_is_not_stays_an_alarm_until_somebody_takes_note(base: Base) {
        let records = base.open().await;
        let ann = ann(&records).await;
        book(&records, &credit(ann, "a", "5")).await;
        records.ledger().settle(ann, 1, true, NOW).await.unwrap();
        let compare = async |balance: &str, at| records.wallet_differences().compare(cut(ann, balance, 1, at)).await.unwrap();
        assert_eq!(compare("5.10", later(60)).await, CutVerdict::Unequal { expected: money("5"), is_new: true });
        assert_eq!(compare("5.10", later(120)).await, CutVerdict::Unequal { expected: money("5"), is_new: false });
        let open = records.wallet_differences().list(true, 10).await.unwrap();
        assert_eq!((open.len(), open[0].found, open[0].seen_at), (1, money("5.10"), later(120)), "{open:#?}");
        assert!(records.wallet_differences().acknowledge(ann, later(60), "root", later(200)).await.unwrap());
        assert!(!records.wallet_differences().acknowledge(ann, later(61), "root", later(200)).await.unwrap());
        assert_eq!(records.wallet_differences().count_open().await.unwrap(), 0);
        assert_eq!(records.wallet_differences().list(false, 10).await.unwrap()[0].acknowledged_by.as_deref(), Some("root"));
    }

    async fn a_ledger_that_was_put_right_is_what_the_next_cut_shows(base: Base) {
        let records = base.open().await;
        let ann = ann(&records).await;
        book(&records, &credit(ann, "a", "5")).await;
        records.ledger().settle(ann, 1, true, NOW).await.unwrap();
        let compare = async |balance: &str, at| records.wallet_differences().compare(cut(ann, balance, 1, at)).await.unwrap();
        assert_eq!(compare("5.10", later(60)).await, CutVerdict::Unequal { expected: money("5"), is_new: true });
        let wish = NewCredit { kind: LineKind::Adjustment, ..credit(ann, "b", "0.10") };
        let line = records.ledger().correct(&wish).await.unwrap();
        assert_eq!((line.number, line.state), (None, LineState::Applied));
        assert_eq!(records.ledger().list(ann, LineFilter::default(), 1).await.unwrap(), [line]);
        assert_eq!(compare("5.10", later(120)).await, CutVerdict::Equal);
        assert!(matches!(records.ledger().correct(&wish).await, Err(RecordsError::Exists)), "one call books once");
        let next = book(&records, &credit(ann, "c", "1")).await;
        assert_eq!(next.number, Some(2), "the balance misses no number");
        assert_eq!(balance(&records, ann).await, "6.10");
    }

    async fn a_difference_that_somebody_took_note_of_is_told_again_only_when_it_changes_or_comes_back(base: Base) {
        let records = base.open().await;
        let ann = ann(&records).await;
        book(&records, &credit(ann, "a", "5")).await;
        records.ledger().settle(ann, 1, true, NOW).await.unwrap();
        let compare = async |balance: &str, at| records.wallet_differences().compare(cut(ann, balance, 1, at)).await.unwrap();
        let unequal = |is_new| CutVerdict::Unequal { expected: money("5"), is_new };
        assert_eq!(compare("5.10", later(60)).await, unequal(true));
        records.wallet_differences().acknowledge(ann, later(60), "root", later(70)).await.unwrap();
        assert_eq!(compare("5.10", later(80)).await, unequal(false), "it stands, and is known");
        assert_eq!(compare("5.20", later(90)).await, unequal(true), "it has changed");
        records.wallet_differences().acknowledge(ann, later(90), "root", later(95)).await.unwrap();
        assert_eq!(compare("5", later(100)).await, CutVerdict::Equal);
        assert_eq!(compare("5.20", later(110)).await, unequal(true), "it came back");
    }

    async fn a_withdrawal_of_which_nobody_knows_yet_puts_the_comparison_off(base: Base) {
        let records = base.open().await;
        let ann = ann(&records).await;
        book(&records, &credit(ann, "a", "-1")).await;
        let compared = records.wallet_differences().compare(cut(ann, "0", 1, later(60))).await.unwrap();
        assert_eq!(compared, CutVerdict::Undecided);
    }

    async fn a_credit_that_the_balance_lost_is_an_alarm(base: Base) {
        let records = base.open().await;
        let ann = ann(&records).await;
        book(&records, &credit(ann, "a", "5")).await;
        records.ledger().settle(ann, 1, true, NOW).await.unwrap();
        let compared = records.wallet_differences().compare(cut(ann, "0", 0, later(3600))).await.unwrap();
        assert_eq!(compared, CutVerdict::Unequal { expected: money("5"), is_new: true });
    }

    async fn tenants_with_a_ledger_are_told_page_by_page(base: Base) {
        let records = base.open().await;
        let mut all = Vec::new();
        for seed in 1..=3 {
            let tenant = tenant(&format!("t{seed}"), seed);
            records.tenants().insert(&tenant).await.unwrap();
            book(&records, &credit(tenant.id, "a", "1")).await;
            all.push(tenant.id);
        }
        all.sort_unstable();
        let first = records.ledger().tenants(None, 2).await.unwrap();
        assert_eq!(first, all[..2]);
        assert_eq!(records.ledger().tenants(first.last().copied(), 2).await.unwrap(), all[2..]);
    }
}
