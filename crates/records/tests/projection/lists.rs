//! The message log: every page and every total is what counting by hand gives, whatever the filter.

use std::time::Duration;

use countersign_model::{
    Channel, KeyKind, MessageId, MessageStatus, Mode, Money, Partition, Recipient, Rng, Scope, SeededRng, ServiceId, SessionId,
    TenantId, Timestamp,
};
use countersign_records::{ListFilter, ListPlace, MessageChange, MessageRecord, Moment, Realm, Records};

use crate::base::{Base, NOW, on_both};

const STATUSES: [MessageStatus; 4] =
    [MessageStatus::Pending, MessageStatus::Sent, MessageStatus::Delivered, MessageStatus::Failed];

fn realm(seed: u64) -> Realm {
    let tenant = TenantId::mint(NOW, &SeededRng::new(seed), Partition::of(1));
    Realm { scope: Scope { tenant, keys: KeyKind::Live }, mode: Mode::Live }
}

fn services() -> [Option<ServiceId>; 3] {
    let named = |text: &str| Some(text.parse().unwrap());
    [None, named("1f0c7f6e-9e0c-4a6e-8a55-0e6f9e4bd001"), named("1f0c7f6e-9e0c-4a6e-8a55-0e6f9e4bd002")]
}

fn dice(rng: &SeededRng, sides: u64) -> u64 {
    let mut bytes = [0; 8];
    rng.fill(&mut bytes);
    u64::from_le_bytes(bytes) % sides
}

fn pick<T: Copy>(rng: &SeededRng, of: &[T]) -> T {
    of[usize::try_from(dice(rng, of.len() as u64)).unwrap()]
}

fn message(rng: &SeededRng, realm: Realm, at: Timestamp) -> MessageRecord {
    let channel = pick(rng, &[Channel::Email, Channel::Sms]);
    let address = match channel {
        Channel::Email => format!("p{}@example.com", dice(rng, 5)),
        _ => format!("+1202555010{}", dice(rng, 5)),
    };
    MessageRecord {
        id: MessageId::mint(at, rng, Partition::of(1)),
        realm,
        session: SessionId::mint(at, rng, Partition::of(1)),
        service: pick(rng, &services()),
        channel,
        recipient: Recipient::parse(channel, &address).unwrap(),
        status: pick(rng, &STATUSES),
        provider: None,
        provider_id: None,
        reason: None,
        cost: Money::ZERO,
        country: None,
        created_at: at,
        sent_at: None,
        delivered_at: None,
        failed_at: None,
        carrier: None,
    }
}

/// 400 messages of one realm over four hours and a few of another, written in parts and some of them changed afterwards.
async fn fill(records: &Records) -> Vec<MessageRecord> {
    let rng = SeededRng::new(11);
    let mut all: Vec<MessageRecord> = Vec::new();
    for part in 0..8 {
        let mut changes = Vec::new();
        for nth in 0..50 {
            let at = Timestamp::from_millis(NOW.millis() + i64::try_from(dice(&rng, 4 * 3_600_000)).unwrap());
            let whose = if nth == 0 { realm(2) } else { realm(1) };
            changes.push(MessageChange { before: None, after: message(&rng, whose, at), moments: Vec::new() });
        }
        if part > 0 {
            for nth in 0..10 {
                let before = all[(part - 1) * 50 + nth].clone();
                let after = MessageRecord { status: pick(&rng, &STATUSES), ..before.clone() };
                all[(part - 1) * 50 + nth] = after.clone();
                changes.push(MessageChange { before: Some(before), after, moments: Vec::new() });
            }
        }
        records.messages().save(&changes).await.unwrap();
        all.extend(changes.into_iter().filter(|change| change.before.is_none()).map(|change| change.after));
    }
    all.sort_by_key(|message| std::cmp::Reverse((message.created_at, message.id)));
    all
}

fn admits(filter: &ListFilter<MessageStatus>, recipient: Option<&Recipient>, message: &MessageRecord) -> bool {
    message.realm == filter.realm
        && filter.status.is_none_or(|status| message.status == status)
        && filter.channel.is_none_or(|channel| message.channel == channel)
        && filter.service.is_none_or(|service| message.service == Some(service))
        && filter.from.is_none_or(|from| message.created_at >= from)
        && filter.to.is_none_or(|to| message.created_at < to)
        && recipient.is_none_or(|recipient| message.recipient == *recipient)
}

/// Filters of every kind, with edges inside hours, on hours and far away.
fn filters() -> Vec<(ListFilter<MessageStatus>, Option<Recipient>)> {
    let rng = SeededRng::new(12);
    let hour = 3_600_000;
    let edge = |rng: &SeededRng| match dice(rng, 4) {
        0 => None,
        1 => Some(Timestamp::from_millis((NOW.millis() / hour + i64::try_from(dice(rng, 6)).unwrap()) * hour)),
        _ => Some(NOW.plus(Duration::from_millis(dice(rng, 4 * 3_600_000)))),
    };
    (0..60)
        .map(|_| {
            let maybe = |side| dice(&rng, side) == 0;
            let filter = ListFilter {
                status: maybe(2).then(|| pick(&rng, &STATUSES)),
                channel: maybe(2).then(|| pick(&rng, &[Channel::Email, Channel::Sms, Channel::Voice])),
                service: if maybe(3) { pick(&rng, &services()) } else { None },
                from: edge(&rng),
                to: edge(&rng),
                ..ListFilter::all(realm(1))
            };
            let recipient = maybe(4).then(|| Recipient::parse(Channel::Email, "P3@example.com").unwrap());
            (filter, recipient)
        })
        .collect()
}

on_both! {
    async fn a_page_and_its_total_are_what_counting_by_hand_gives(base: Base) {
        let records = base.open().await;
        let all = fill(&records).await;
        for (filter, recipient) in filters() {
            let expected: Vec<_> = all
                .iter()
                .filter(|message| recipient.as_ref().map_or_else(
                    || admits(&filter, None, message),
                    |wanted| admits(&filter, None, message) && message.recipient.normalised() == wanted.normalised(),
                ))
                .cloned()
                .collect();
            for (offset, limit) in [(0, 7), (5, 20), (90, 10), (399, 3)] {
                let page = records.messages().page(&filter, recipient.as_ref(), offset, limit).await.unwrap();
                let wanted: Vec<_> =
                    expected.iter().skip(usize::try_from(offset).unwrap()).take(limit as usize).cloned().collect();
                assert_eq!(page.total, expected.len() as u64, "{filter:?}");
                assert_eq!(page.rows, wanted, "{filter:?}, {offset}");
            }
        }
    }

    async fn what_is_old_is_forgotten_in_parts_and_totals_stay_what_counting_by_hand_gives(base: Base) {
        let records = base.open().await;
        let mut all = fill(&records).await;
        let moments = [Moment { number: 1, at: NOW, status: MessageStatus::Pending, provider: None, reason: None }];
        let (oldest, rng) = (all.last().unwrap().created_at, SeededRng::new(12));
        let old = message(&rng, realm(1), oldest.minus(Duration::from_secs(1)));
        let kept = message(&rng, realm(1), all[0].created_at.plus(Duration::from_secs(1)));
        let new = |after: &MessageRecord| MessageChange { before: None, after: after.clone(), moments: moments.to_vec() };
        records.messages().save(&[new(&old), new(&kept)]).await.unwrap();
        all.push(old.clone());
        all.insert(0, kept.clone());
        // In the middle of an hour.
        let before = Timestamp::from_millis(NOW.millis() + 2 * 3_600_000 + 1_234_567);
        let mut rounds = 0;
        while records.forget_before(realm(1), before, 60).await.unwrap() > 0 {
            rounds += 1;
        }
        assert!(rounds > 2, "{rounds} rounds");
        all.retain(|message| message.realm != realm(1) || message.created_at >= before);
        for (filter, recipient) in filters() {
            let is_of = |message: &MessageRecord| {
                recipient.as_ref().is_none_or(|wanted| message.recipient.normalised() == wanted.normalised())
            };
            let wanted: Vec<_> = all.iter().filter(|message| admits(&filter, None, message) && is_of(message)).collect();
            let page = records.messages().page(&filter, recipient.as_ref(), 0, 500).await.unwrap();
            let found: Vec<_> = page.rows.iter().collect();
            assert_eq!((page.total, found), (wanted.len() as u64, wanted), "{filter:?}");
        }
        assert_eq!(records.messages().history(old.id).await.unwrap(), []);
        assert_eq!(records.messages().history(kept.id).await.unwrap(), moments);
    }

    async fn slices_one_behind_the_other_are_the_whole_list(base: Base) {
        let records = base.open().await;
        let all = fill(&records).await;
        for (filter, recipient) in filters() {
            let expected = all.iter().filter(|message| {
                admits(&filter, None, message)
                    && recipient.as_ref().is_none_or(|wanted| message.recipient.normalised() == wanted.normalised())
            });
            let (mut found, mut place): (Vec<MessageRecord>, Option<ListPlace>) = (Vec::new(), None);
            loop {
                let slice = records.messages().after(&filter, recipient.as_ref(), place.as_ref(), 9).await.unwrap();
                assert!(slice.rows.len() <= 9);
                found.extend(slice.rows);
                place = slice.next;
                if place.is_none() {
                    break;
                }
            }
            assert_eq!(found.iter().collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{filter:?}");
        }
    }

    async fn a_message_is_found_in_its_own_scope_with_its_history(base: Base) {
        let records = base.open().await;
        let after = message(&SeededRng::new(3), realm(1), NOW);
        let moment = |number, status| Moment { number, at: NOW, status, provider: Some("mail".to_owned()), reason: None };
        let change =
            |before, after, moments| MessageChange { before, after, moments };
        let moments = vec![moment(1, MessageStatus::Pending), moment(2, MessageStatus::Sent)];
        records.messages().save(&[change(None, after.clone(), moments.clone())]).await.unwrap();
        assert_eq!(records.messages().find(realm(1).scope, after.id).await.unwrap(), Some(after.clone()));
        assert_eq!(records.messages().find(realm(2).scope, after.id).await.unwrap(), None);
        let other = Scope { keys: KeyKind::Test, ..realm(1).scope };
        assert_eq!(records.messages().find(other, after.id).await.unwrap(), None);
        assert_eq!(records.messages().history(after.id).await.unwrap(), moments);
        assert!(!format!("{after:?}").contains(after.recipient.address()), "{after:?}");
    }
}
