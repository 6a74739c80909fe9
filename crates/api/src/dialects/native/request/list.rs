//! `GET /otp/sessions`.

use actix_web::HttpRequest;
use actix_web::web::Query;
use countersign_core::{SessionFilter, SessionStatus};
use countersign_model::{SessionId, Timestamp};
use data_encoding::BASE64URL_NOPAD;

use super::INVALID_CHANNEL;
use crate::fields::Faults;

/// The parameters of the call.
pub(super) const PARAMETERS: [&str; 6] = ["status", "channel", "from", "to", "limit", "cursor"];
/// Sessions of a page when the call does not say.
const LIMIT: usize = 20;

/// Which page of which list.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) filter: SessionFilter,
    pub(crate) limit: usize,
}

/// Where a page ends, for a caller to hand back. Opaque: its form may change.
pub(crate) fn cursor(last: SessionId) -> String {
    BASE64URL_NOPAD.encode(&last.bits().to_be_bytes())
}

fn session_of(cursor: &str) -> Option<SessionId> {
    let bytes: [u8; 16] = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?.try_into().ok()?;
    Some(SessionId::from_bits(u128::from_be_bytes(bytes)))
}

/// Reads the query, and tells all that is wrong with it. An empty parameter is the same as none.
pub(crate) fn parse(request: &HttpRequest) -> Result<List, Faults> {
    let mut faults = Faults::default();
    let query = Query::<Vec<(String, String)>>::from_query(request.query_string()).map(Query::into_inner).unwrap_or_default();
    let mut list = List { filter: SessionFilter::default(), limit: LIMIT };
    for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        match name.as_str() {
            "status" => {
                let status = SessionStatus::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(value));
                let must = "pending, verified, expired, locked, canceled or failed";
                list.filter.status = taken(status, name, must, &mut faults);
            }
            "channel" => match value.parse() {
                Ok(channel) => list.filter.channel = Some(channel),
                Err(_) => faults.add("channel", INVALID_CHANNEL, "Invalid channel: must be email, sms, whatsapp or voice"),
            },
            "from" => list.filter.from = moment(name, value, &mut faults),
            "to" => list.filter.to = moment(name, value, &mut faults),
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=100).contains(limit));
                list.limit = taken(limit, name, "an integer from 1 to 100", &mut faults).unwrap_or(LIMIT);
            }
            "cursor" => list.filter.before = taken(session_of(value), name, "a next_cursor of this list", &mut faults),
            _ => {}
        }
    }
    if let (Some(from), Some(to)) = (list.filter.from, list.filter.to)
        && from > to
    {
        refuse("from", "earlier than to", &mut faults);
    }
    if super::headers::wants_strict(request.headers()) {
        for (name, _) in query.iter().filter(|(name, _)| !PARAMETERS.contains(&name.as_str())) {
            faults.unknown("", name);
        }
    }
    faults.or(Some(list))
}

/// An RFC 3339 time. A `+` that was not escaped arrives as a space.
fn moment(name: &str, value: &str, faults: &mut Faults) -> Option<Timestamp> {
    taken(value.replace(' ', "+").parse().ok(), name, "an RFC 3339 time such as 2026-01-15T10:45:00Z", faults)
}

fn taken<T>(value: Option<T>, name: &str, must: &str, faults: &mut Faults) -> Option<T> {
    if value.is_none() {
        refuse(name, must, faults);
    }
    value
}

fn refuse(name: &str, must: &str, faults: &mut Faults) {
    faults.add(name, super::INVALID_FIELD, format!("{name} must be {must}"));
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use countersign_model::Channel;

    use super::*;
    use crate::fields::Fault;

    fn read(query: &str) -> Result<List, Vec<Fault>> {
        parse(&TestRequest::get().uri(&format!("/api/v1/otp/sessions?{query}")).to_http_request()).map_err(Faults::into_vec)
    }

    #[test]
    fn without_parameters_it_is_the_newest_twenty() {
        let list = read("").unwrap();
        assert_eq!((list.limit, list.filter.status, list.filter.before), (20, None, None));
        assert_eq!(read("limit=&status=").unwrap().limit, 20);
    }

    #[test]
    fn every_parameter_is_read() {
        let last = SessionId::from_bits(42);
        let query = format!(
            "status=Locked&channel=sms&from=2026-01-15T10:45:00Z&to=2026-01-16T00:00:00%2B01:00&limit=100&cursor={}",
            cursor(last)
        );
        let List { filter, limit } = read(&query).unwrap();
        assert_eq!((filter.status, filter.channel, limit), (Some(SessionStatus::Locked), Some(Channel::Sms), 100));
        assert_eq!(filter.from.unwrap().to_string(), "2026-01-15T10:45:00.000Z");
        assert_eq!((filter.to, filter.before), ("2026-01-15T23:00:00Z".parse().ok(), Some(last)));
    }

    #[test]
    fn an_unescaped_plus_is_understood() {
        assert_eq!(read("to=2026-01-16T00:00:00+01:00").unwrap().filter.to, "2026-01-15T23:00:00Z".parse().ok());
    }

    #[test]
    fn every_fault_is_told() {
        let faults = read("status=open&channel=fax&from=yesterday&to=7&limit=0&cursor=zz").unwrap_err();
        assert_eq!(
            faults.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(),
            ["status", "channel", "from", "to", "limit", "cursor"]
        );
        assert_eq!(read("limit=101").unwrap_err().len(), 1);
        assert_eq!(read("from=2026-01-16T00:00:00Z&to=2026-01-15T00:00:00Z").unwrap_err()[0].field, "from");
    }

    #[test]
    fn strict_handling_names_unknown_parameters() {
        let request = TestRequest::get().uri("/api/v1/otp/sessions?page=2").insert_header(("Prefer", "handling=strict"));
        assert_eq!(parse(&request.to_http_request()).unwrap_err().into_vec()[0].field, "page");
        assert!(read("page=2").is_ok());
    }
}
