//! How many rows of a list there are in each hour: what makes totals cheap.

use std::collections::BTreeMap;

use countersign_model::{Channel, ServiceId, Timestamp};
use sqlx::AnyConnection;

use super::list::List;
use crate::many::insert_many;
use crate::{Realm, RecordsError};

/// Milliseconds of an hour: totals of whole hours are sums of counts, and only what is left of an hour at either end is counted row by row.
pub(super) const HOUR: i64 = 60 * 60 * 1000;

/// Where a row is counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell {
    pub(super) realm: Realm,
    hour: i64,
    service: String,
    channel: Channel,
    status: &'static str,
}

impl Cell {
    pub(super) fn new(
        realm: Realm,
        created_at: Timestamp,
        service: Option<ServiceId>,
        channel: Channel,
        status: &'static str,
    ) -> Self {
        Self { realm, hour: created_at.millis().div_euclid(HOUR), service: service_word(service), channel, status }
    }
}

/// How a service stands in the counts: rows without one are counted, too.
pub(super) fn service_word(service: Option<ServiceId>) -> String {
    service.map(|id| id.to_string()).unwrap_or_default()
}

/// What a set of changes does to the counts.
#[derive(Debug, Default)]
pub(super) struct Counts(BTreeMap<Cell, i64>);

impl Counts {
    /// A row is counted there now and no longer where it was.
    pub(super) fn moved(&mut self, from: Option<Cell>, to: Cell) {
        if let Some(from) = from {
            *self.0.entry(from).or_default() -= 1;
        }
        *self.0.entry(to).or_default() += 1;
    }

    /// A row is no longer counted there.
    pub(super) fn gone(&mut self, from: Cell) {
        *self.0.entry(from).or_default() -= 1;
    }

    pub(super) async fn write(self, connection: &mut AnyConnection, list: &List) -> Result<(), RecordsError> {
        let changed: Vec<(Cell, i64)> = self.0.into_iter().filter(|(_, more)| *more != 0).collect();
        insert_many(
            connection,
            "INSERT INTO list_counts (list, realm, hour, service, channel, status, total)",
            7,
            "ON CONFLICT (list, realm, hour, service, channel, status) DO UPDATE SET total = list_counts.total + excluded.total",
            &changed,
            |query, (cell, more)| {
                Ok(query
                    .bind(list.name)
                    .bind(cell.realm.to_string())
                    .bind(cell.hour)
                    .bind(cell.service.clone())
                    .bind(cell.channel.as_str())
                    .bind(cell.status)
                    .bind(*more))
            },
        )
        .await
    }
}
