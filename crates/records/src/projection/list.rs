//! Pages of long lists, and how many rows they have in all.
//!
//! A list is walked along one index, by the moment of a row's making. The counts of `list_counts` say in which hours the rows of a page are: so a
//! page far down the list, or of a filter that few rows pass, looks at these hours only, and a total is a sum over hours.

use countersign_model::{Channel, Recipient, ServiceId, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::counts::{HOUR, service_word};
use crate::many::Statement;
use crate::{Realm, RecordsError};

/// A table that can be listed.
pub(super) struct List {
    /// What it is called in the counts.
    pub(super) name: &'static str,
    /// `SELECT … FROM …`
    pub(super) select: &'static str,
    pub(super) table: &'static str,
    pub(super) status: &'static str,
    pub(super) channel: &'static str,
    /// What a row must be to be in the list at all: empty, or ` AND …`. Those that are not are not counted either.
    pub(super) shown: &'static str,
}

/// Which rows are wanted. What is left open is not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListFilter<S> {
    /// Whose: the only thing that is never open.
    pub realm: Realm,
    /// Those that are so now.
    pub status: Option<S>,
    /// Those on this channel.
    pub channel: Option<Channel>,
    /// Those of this service.
    pub service: Option<ServiceId>,
    /// Made at or after.
    pub from: Option<Timestamp>,
    /// Made before.
    pub to: Option<Timestamp>,
}

impl<S> ListFilter<S> {
    /// All of a realm.
    #[must_use]
    pub const fn all(realm: Realm) -> Self {
        Self { realm, status: None, channel: None, service: None, from: None, to: None }
    }
}

/// Where a slice of a list ended: the last row's moment and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPlace {
    /// When the row was made.
    pub at: Timestamp,
    /// Its id.
    pub id: String,
}

/// A page of a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage<T> {
    /// At most as many as were asked for.
    pub rows: Vec<T>,
    /// How many rows the filter lets through in all.
    pub total: u64,
}

/// A stretch of a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSlice<T> {
    /// At most as many as were asked for.
    pub rows: Vec<T>,
    /// Where the next one begins; none at the end.
    pub next: Option<ListPlace>,
}

/// A filter in the words of statements.
pub(super) struct Wanted {
    realm: String,
    status: Option<&'static str>,
    channel: Option<Channel>,
    service: Option<ServiceId>,
    recipient: Option<String>,
    from: i64,
    to: i64,
}

impl Wanted {
    pub(super) fn new<S: Copy>(filter: &ListFilter<S>, recipient: Option<&Recipient>, word: impl Fn(S) -> &'static str) -> Self {
        Self {
            realm: filter.realm.to_string(),
            status: filter.status.map(word),
            channel: filter.channel,
            service: filter.service,
            recipient: recipient.map(Recipient::normalised),
            from: filter.from.map_or(0, Timestamp::millis).max(0),
            to: filter.to.map_or(i64::MAX, Timestamp::millis).max(0),
        }
    }

    /// What rows must be, beside their realm and their time. Status and channel are our own words and stand in the text: only so does a
    /// database see that an index which holds one status alone will do.
    fn conditions(&self, list: &List) -> String {
        let status = self.status.map(|status| format!(" AND {} = '{status}'", list.status));
        let channel = self.channel.map(|channel| format!(" AND {} = '{channel}'", list.channel));
        let service = self.service.map(|_| " AND service_id = $4".to_owned());
        let recipient = self.recipient.as_ref().map(|_| format!(" AND recipient = ${}", 4 + usize::from(self.service.is_some())));
        let shown = list.shown.to_owned();
        [status, channel, service, recipient].into_iter().flatten().chain([shown]).collect()
    }

    /// How many values the conditions take beside `$1` to `$3`.
    fn bound(&self) -> usize {
        usize::from(self.service.is_some()) + usize::from(self.recipient.is_some())
    }

    fn bind(&self, text: String, low: i64, high: i64) -> Statement {
        let mut query = sqlx::query(AssertSqlSafe(text)).bind(self.realm.clone()).bind(low).bind(high);
        if let Some(service) = self.service {
            query = query.bind(service.to_string());
        }
        if let Some(recipient) = &self.recipient {
            query = query.bind(recipient.clone());
        }
        query
    }

    /// Counts rows one by one.
    async fn count(&self, connection: &mut AnyConnection, list: &List, low: i64, high: i64) -> Result<u64, RecordsError> {
        let text = format!(
            "SELECT COUNT(*) FROM {} WHERE realm = $1 AND created_at >= $2 AND created_at < $3{}",
            list.table,
            self.conditions(list)
        );
        let count: i64 = self.bind(text, low, high).fetch_one(connection).await?.try_get(0)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Rows of each whole hour that has any, newest first, from the hour `first` to the one before `end`.
    async fn hours(
        &self,
        connection: &mut AnyConnection,
        list: &List,
        first: i64,
        end: i64,
        limit: i64,
    ) -> Result<Vec<Stretch>, RecordsError> {
        let status = self.status.map(|status| format!(" AND status = '{status}'")).unwrap_or_default();
        let channel = self.channel.map(|channel| format!(" AND channel = '{channel}'")).unwrap_or_default();
        let service = if self.service.is_some() { " AND service = $6" } else { "" };
        let text = format!(
            "SELECT hour, CAST(SUM(total) AS BIGINT) AS total FROM list_counts WHERE list = $1 AND realm = $2 AND hour >= $3 AND hour < $4\
             {status}{channel}{service} GROUP BY hour HAVING SUM(total) > 0 ORDER BY hour DESC LIMIT $5"
        );
        let mut query =
            sqlx::query(AssertSqlSafe(text)).bind(list.name).bind(self.realm.clone()).bind(first).bind(end).bind(limit);
        if self.service.is_some() {
            query = query.bind(service_word(self.service));
        }
        let stretch = |row: &AnyRow| {
            let (hour, total): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            Ok(Stretch { low: hour * HOUR, high: (hour + 1) * HOUR, rows: u64::try_from(total).unwrap_or(0) })
        };
        query.fetch_all(connection).await?.iter().map(stretch).collect()
    }

    /// The list cut into stretches of known length, newest first.
    async fn stretches(&self, connection: &mut AnyConnection, list: &List) -> Result<Vec<Stretch>, RecordsError> {
        let whole = Stretch { low: self.from, high: self.to, rows: 0 };
        // Nobody gets so many messages that they could not be counted one by one.
        if self.recipient.is_some() {
            return Ok(vec![whole.counted(self.count(connection, list, self.from, self.to).await?)]);
        }
        let (first, end) = (self.from.saturating_add(HOUR - 1) / HOUR, self.to / HOUR);
        if first >= end {
            return Ok(vec![whole.counted(self.count(connection, list, self.from, self.to).await?)]);
        }
        let mut stretches = Vec::new();
        let is_open = self.to == i64::MAX;
        if !is_open && end * HOUR < self.to {
            let newest = Stretch { low: end * HOUR, high: self.to, rows: 0 };
            stretches.push(newest.counted(self.count(&mut *connection, list, newest.low, newest.high).await?));
        }
        stretches.extend(self.hours(&mut *connection, list, first, end, i64::MAX).await?);
        if self.from < first * HOUR {
            let oldest = Stretch { low: self.from, high: first * HOUR, rows: 0 };
            stretches.push(oldest.counted(self.count(connection, list, oldest.low, oldest.high).await?));
        }
        Ok(stretches)
    }

    /// Rows from `offset` on.
    pub(super) async fn page(
        &self,
        connection: &mut AnyConnection,
        list: &List,
        offset: u64,
        limit: u32,
    ) -> Result<(Vec<AnyRow>, u64), RecordsError> {
        let stretches = self.stretches(&mut *connection, list).await?;
        let total = stretches.iter().map(|stretch| stretch.rows).sum();
        let Some((low, high, rest)) = cover(&stretches, offset, u64::from(limit)) else { return Ok((Vec::new(), total)) };
        let bound = self.bound();
        let text = format!(
            "{} WHERE realm = $1 AND created_at >= $2 AND created_at < $3{} ORDER BY created_at DESC, id DESC LIMIT ${} OFFSET ${}",
            list.select,
            self.conditions(list),
            4 + bound,
            5 + bound
        );
        let query = self.bind(text, low, high).bind(i64::from(limit)).bind(i64::try_from(rest).unwrap_or(i64::MAX));
        Ok((query.fetch_all(connection).await?, total))
    }

    /// Rows older than `place`, one more than `limit` where there are more.
    pub(super) async fn after(
        &self,
        connection: &mut AnyConnection,
        list: &List,
        place: Option<&ListPlace>,
        limit: u32,
    ) -> Result<Vec<AnyRow>, RecordsError> {
        let newest = place.map_or(self.to, |place| place.at.millis().saturating_add(1).min(self.to));
        let wanted = i64::from(limit) + 1;
        let mut low = self.from;
        if self.recipient.is_none() {
            let (first, end) = (self.from / HOUR, newest.saturating_sub(1) / HOUR + 1);
            let hours = self.hours(&mut *connection, list, first, end, wanted + 1).await?;
            // Of the newest hour some rows may be behind the place already, so it counts for nothing.
            let mut seen = 0;
            for (nth, hour) in hours.iter().enumerate() {
                seen += if nth == 0 { 0 } else { hour.rows };
                if seen > u64::from(limit) {
                    low = hour.low.max(self.from);
                    break;
                }
            }
            if hours.is_empty() {
                return Ok(Vec::new());
            }
        }
        let bound = self.bound();
        let behind = place.map_or_else(String::new, |_| format!(" AND (created_at, id) < (${}, ${})", 5 + bound, 6 + bound));
        let text = format!(
            "{} WHERE realm = $1 AND created_at >= $2 AND created_at < $3{}{behind} ORDER BY created_at DESC, id DESC LIMIT ${}",
            list.select,
            self.conditions(list),
            4 + bound
        );
        let mut query = self.bind(text, low, newest).bind(wanted);
        if let Some(place) = place {
            query = query.bind(place.at.millis()).bind(place.id.clone());
        }
        Ok(query.fetch_all(connection).await?)
    }
}

/// A stretch of time and how many of the wanted rows were made in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    low: i64,
    high: i64,
    rows: u64,
}

impl Stretch {
    const fn counted(self, rows: u64) -> Self {
        Self { rows, ..self }
    }
}

/// The time in which the rows from `offset` on were made, and how many newer ones lie in it. None where the list has ended.
fn cover(stretches: &[Stretch], offset: u64, limit: u64) -> Option<(i64, i64, u64)> {
    let (mut before, mut start) = (0, None);
    let mut covered = None;
    for stretch in stretches {
        let behind = before + stretch.rows;
        if start.is_none() && behind > offset {
            start = Some((stretch.high, offset - before));
        }
        if let Some((high, rest)) = start {
            covered = Some((stretch.low, high, rest));
            if behind >= offset.saturating_add(limit) {
                break;
            }
        }
        before = behind;
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_looks_only_at_the_hours_that_hold_it() {
        let stretches: Vec<_> =
            [(40, 50, 5), (30, 40, 3), (20, 30, 1), (0, 10, 7)].map(|(low, high, rows)| Stretch { low, high, rows }).into();
        assert_eq!(cover(&stretches, 0, 5), Some((40, 50, 0)));
        assert_eq!(cover(&stretches, 0, 6), Some((30, 50, 0)));
        assert_eq!(cover(&stretches, 4, 2), Some((30, 50, 4)));
        assert_eq!(cover(&stretches, 5, 4), Some((20, 40, 0)));
        assert_eq!(cover(&stretches, 10, 100), Some((0, 10, 1)));
        assert_eq!(cover(&stretches, 16, 1), None);
        assert_eq!(cover(&[], 0, 1), None);
    }
}
