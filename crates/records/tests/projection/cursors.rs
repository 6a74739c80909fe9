//! How far the log has been read, and what was set aside.

use std::time::Duration;

use countersign_model::Partition;
use countersign_records::{Moved, Poison, PoisonKind};

use crate::base::{Base, NOW, on_both};

fn to(position: u64) -> Moved<'static> {
    Moved { position, digest: "d", holder: "me", leased_until: NOW.plus(Duration::from_secs(5)) }
}

fn poison(sequence: u64) -> Poison {
    Poison {
        partition: Partition::of(3),
        sequence,
        entry_at: NOW,
        aggregate: "ses_1".to_owned(),
        kind: PoisonKind::Gap,
        error: "event 3 came where event 2 was due".to_owned(),
        entry: r#"{"a":"ann@example.com"}"#.to_owned(),
        at: NOW,
    }
}

on_both! {
    async fn of_two_that_move_a_cursor_from_one_place_one_does(base: Base) {
        let records = base.open().await;
        let partition = Partition::of(3);
        assert_eq!(records.cursors().all().await.unwrap().len(), 16);
        let mut whole = records.begin().await.unwrap();
        assert!(whole.cursors().advance(partition, 0, to(7)).await.unwrap());
        let other = tokio::spawn({
            let records = records.clone();
            async move { records.cursors().advance(partition, 0, to(9)).await.unwrap() }
        });
        whole.commit().await.unwrap();
        assert!(!other.await.unwrap(), "both moved it");
        let found = records.cursors().all().await.unwrap().remove(3);
        assert_eq!((found.position, found.digest.as_str(), found.holder.as_str()), (7, "d", "me"));
    }

    async fn a_cursor_stays_where_it_was_when_the_work_is_undone(base: Base) {
        let records = base.open().await;
        let mut whole = records.begin().await.unwrap();
        whole.cursors().advance(Partition::of(0), 0, to(7)).await.unwrap();
        drop(whole);
        assert_eq!(records.cursors().all().await.unwrap()[0].position, 0);
    }

    async fn what_was_set_aside_is_listed_until_it_is_removed_and_never_shows_its_entry(base: Base) {
        let records = base.open().await;
        for sequence in [9, 8, 9] {
            records.poison().insert(&poison(sequence)).await.unwrap();
        }
        assert_eq!(records.poison().count().await.unwrap(), 2);
        let listed = records.poison().list(10).await.unwrap();
        assert_eq!(listed, [poison(8), poison(9)]);
        assert!(!format!("{listed:?}").contains("ann@"), "{listed:?}");
        assert_eq!(records.poison().find(Partition::of(3), 8, NOW).await.unwrap(), Some(poison(8)));
        assert!(records.poison().remove(Partition::of(3), 8, NOW).await.unwrap());
        assert!(!records.poison().remove(Partition::of(3), 8, NOW).await.unwrap());
        assert_eq!(records.poison().count().await.unwrap(), 1);
    }
}
