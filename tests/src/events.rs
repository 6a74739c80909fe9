//! The event log of a server that has stopped, read the way its successor reads it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use countersign_model::{Aggregate, EventKind, Limit, Partition, SystemClock};
use countersign_session::store::{SessionStore, SqliteOptions, SqliteStore};
use countersign_session::{BudgetRule, CodeKeys, KeyMaterial};

use crate::planes::SharedPlanes;

/// The events of each session by its id, in the order of the log, with their numbers.
pub type Happened = BTreeMap<String, Vec<(u32, EventKind)>>;

/// Reads the whole log of an installation that no server works on.
pub async fn happened(data_dir: &Path) -> Happened {
    let text = std::fs::read(data_dir.join("keys.json")).unwrap();
    let material: KeyMaterial = serde_json::from_slice(&text).unwrap();
    let keys = Arc::new(CodeKeys::open(&material).unwrap());
    let day = Limit { max: 20, window: std::time::Duration::from_hours(24) };
    let budget = BudgetRule { wrong: day, block_after: 100 };
    let store: Arc<dyn SessionStore> = if let Some(planes) = SharedPlanes::of(data_dir) {
        Arc::new(planes.store(data_dir, keys, budget))
    } else {
        let options = SqliteOptions { path: data_dir.join("hot.db") };
        Arc::new(SqliteStore::open(options, keys, Arc::new(SystemClock), budget).unwrap())
    };
    let mut happened = Happened::new();
    for number in 0..Partition::COUNT {
        let mut after = 0;
        loop {
            let entries = store.read_log(Partition::of(number.into()), after, 1_000).await.unwrap().entries;
            let Some(last) = entries.last() else { break };
            after = last.sequence;
            for entry in entries {
                let events = entry.events.into_iter().map(|event| (event.number, event.kind));
                let Aggregate::Session(session) = entry.of else { continue };
                happened.entry(session.to_string()).or_default().extend(events);
            }
        }
    }
    happened
}
