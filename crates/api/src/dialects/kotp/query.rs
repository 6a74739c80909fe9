//! What stands behind the question mark of a path.

use actix_web::HttpRequest;
use actix_web::web::Query as Pairs;
use countersign_model::Timestamp;
use serde_json::Value;

use super::words::INVALID_PARAMETER;
use crate::fields::Faults;

/// Parameters as they came. One that is empty is the same as none; of two by one name the last counts.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(request: &HttpRequest) -> Self {
        let pairs = Pairs::<Vec<(String, String)>>::from_query(request.query_string());
        Self(pairs.map(Pairs::into_inner).unwrap_or_default())
    }

    /// What a parameter says.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().rev().find(|(known, _)| known == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// The same, for an error to tell again.
    pub(super) fn given(&self, name: &str) -> Option<Value> {
        self.get(name).map(Value::from)
    }

    /// What `read` makes of a parameter, which must be `must`.
    pub(super) fn parsed<T>(
        &self,
        name: &str,
        must: &str,
        read: impl FnOnce(&str) -> Option<T>,
        faults: &mut Faults,
    ) -> Option<T> {
        let value = read(self.get(name)?);
        if value.is_none() {
            faults.add(name, INVALID_PARAMETER, format!("{name} must be {must}"));
        }
        value
    }

    /// How many rows a page has: 1 to 100.
    pub(super) fn limit(&self, usual: u32, faults: &mut Faults) -> u32 {
        let read = |text: &str| text.parse().ok().filter(|limit| (1..=100).contains(limit));
        self.parsed("limit", "an integer from 1 to 100", read, faults).unwrap_or(usual)
    }

    /// Two moments, of which the first is not later than the second.
    pub(super) fn span(&self, from: &str, to: &str, faults: &mut Faults) -> (Option<Timestamp>, Option<Timestamp>) {
        let must = "an ISO 8601 date or time such as 2026-01-15 or 2026-01-15T10:30:00Z";
        let first = self.parsed(from, must, |text| moment(text, Edge::First), faults);
        let last = self.parsed(to, must, |text| moment(text, Edge::Last), faults);
        if let (Some(first), Some(last)) = (first, last)
            && first > last
        {
            faults.add(from, INVALID_PARAMETER, format!("{from} must not be later than {to}"));
        }
        (first, last)
    }
}

/// Which end of a span a date stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    First,
    Last,
}

/// An instant, or a day in UTC: from its beginning, or up to its end. A time without an offset is UTC. A `+` that was not escaped arrives as a
/// space.
fn moment(text: &str, edge: Edge) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        let begins: Timestamp = format!("{text}T00:00:00Z").parse().ok()?;
        let day = std::time::Duration::from_hours(24);
        return Some(if edge == Edge::Last { begins.plus(day) } else { begins });
    }
    let escaped = text.replace(' ', "+");
    escaped.parse().or_else(|_| format!("{escaped}Z").parse()).ok()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn query(text: &str) -> Query {
        Query::of(&TestRequest::with_uri(&format!("/v1/otps?{text}")).to_http_request())
    }

    fn read(text: &str) -> (Option<String>, Option<String>, Vec<String>) {
        let mut faults = Faults::default();
        let (from, to) = query(text).span("from", "to", &mut faults);
        let shown = |moment: Option<Timestamp>| moment.map(Timestamp::whole_seconds);
        (shown(from), shown(to), faults.into_vec().into_iter().map(|fault| fault.field).collect())
    }

    #[test]
    fn a_day_counts_as_a_whole() {
        let (from, to, faults) = read("from=2026-01-15&to=2026-01-15");
        assert_eq!((from.as_deref(), to.as_deref()), (Some("2026-01-15T00:00:00Z"), Some("2026-01-16T00:00:00Z")));
        assert_eq!(faults, Vec::<String>::new());
    }

    #[test]
    fn an_instant_may_have_any_offset_or_none() {
        let (from, to, _) = read("from=2026-01-15T11:30:00+01:00&to=2026-01-15T10:30:00");
        assert_eq!((from.as_deref(), to.as_deref()), (Some("2026-01-15T10:30:00Z"), Some("2026-01-15T10:30:00Z")));
    }

    #[test]
    fn what_is_no_moment_is_named() {
        assert_eq!(read("from=yesterday&to=2026-13-01").2, ["from", "to"]);
        assert_eq!(read("from=2026-01-16&to=2026-01-14").2, ["from"]);
    }

    #[test]
    fn a_page_has_one_to_a_hundred_rows() {
        let limit = |text| {
            let mut faults = Faults::default();
            (query(text).limit(20, &mut faults), faults.into_vec().len())
        };
        assert_eq!((limit(""), limit("limit="), limit("limit=100")), ((20, 0), (20, 0), (100, 0)));
        for wrong in ["limit=0", "limit=101", "limit=-1", "limit=ten", "limit=1.5"] {
            assert_eq!(limit(wrong), (20, 1), "{wrong}");
        }
    }
}
