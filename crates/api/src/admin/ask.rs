//! A call of an operator who was let in, and what is read off it.

use std::sync::Arc;

use actix_web::http::header::HeaderName;
use actix_web::web::Query;
use countersign_core::Platform;
use countersign_core::manage::{Admin, Order, OrderKey};
use countersign_model::Tenant;

use super::problem::Problem;
use crate::body::Body;
use crate::call::Call;
use crate::fields::Faults;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The code of every fault: the admin API tells faults by field and sentence.
pub(super) const INVALID_FIELD: &str = "invalid_field";

/// Rows of a page when the call does not say.
const LIMIT: u32 = 50;
/// Most rows of a page.
const MOST: u32 = 100;

/// A call whose body has been read and whose operator may do what it asks for.
pub(super) struct Ask<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) admin: &'a Admin,
    /// What the path names, in its order.
    pub(super) names: &'a [&'a str],
    pub(super) body: &'a Body,
}

impl<'a> Ask<'a> {
    pub(super) const fn platform(&self) -> &'a Arc<Platform> {
        &self.call.api.platform
    }

    /// Who asks, and under which idempotency key.
    pub(super) fn order(&self) -> Result<Order, Problem> {
        let request = self.call.request;
        let key = match request.headers().get(IDEMPOTENCY_KEY) {
            None => None,
            Some(line) => {
                let sound = |key: &&str| (1..=255).contains(&key.len()) && key.bytes().all(|byte| (0x20..=0x7E).contains(&byte));
                let Some(key) = line.to_str().ok().map(|key| key.trim().trim_matches('"')).filter(sound) else {
                    let mut faults = Faults::default();
                    let must = "Idempotency-Key must be 1 to 255 printable characters";
                    faults.add("Idempotency-Key", INVALID_FIELD, must);
                    return Err(faults.into());
                };
                let call = format!("{} {}", request.method(), request.path());
                Some(OrderKey { call, key: key.to_owned(), body: self.body.bytes.to_vec() })
            }
        };
        Ok(Order { who: self.admin.name.clone(), key })
    }

    /// The tenant that the path names first.
    pub(super) async fn tenant(&self) -> Result<Tenant, Problem> {
        Ok(self.platform().tenant(self.names[0]).await?)
    }

    /// What the path names `nth`, by its id; what is no such id names nothing.
    pub(super) fn named<T: std::str::FromStr>(&self, nth: usize, what: &'static str) -> Result<T, Problem> {
        self.names[nth].parse().map_err(|_| Problem::missing(what))
    }

    /// The query's parameters. Those that nobody reads are faults, and those that stand there twice.
    pub(super) fn parameters(&self, known: &[&str]) -> Result<Parameters, Problem> {
        let query = Query::<Vec<(String, String)>>::from_query(self.call.request.query_string());
        let mut pairs = query.map(Query::into_inner).unwrap_or_default();
        pairs.retain(|(_, value)| !value.is_empty());
        let mut faults = Faults::default();
        for (position, (name, _)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                faults.unknown("", name);
            } else if pairs[..position].iter().any(|(before, _)| before == name) {
                faults.add(name, INVALID_FIELD, format!("{name} must not stand there twice"));
            }
        }
        faults.or(Some(Parameters { pairs })).map_err(Problem::from)
    }

    /// Page size and cursor of a list that has no filters.
    pub(super) fn page(&self) -> Result<(u32, Option<String>), Problem> {
        let parameters = self.parameters(&["limit", "cursor"])?;
        Ok((parameters.limit()?, parameters.get("cursor").map(str::to_owned)))
    }
}

/// A call's query.
pub(super) struct Parameters {
    pairs: Vec<(String, String)>,
}

impl Parameters {
    /// A parameter as it came.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that `read` understands.
    pub(super) fn read<T>(&self, name: &str, must: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Problem> {
        let Some(value) = self.get(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| {
            let mut faults = Faults::default();
            faults.add(name, INVALID_FIELD, format!("{name} must be {must}"));
            faults.into()
        })
    }

    /// How many rows a page has.
    pub(super) fn limit(&self) -> Result<u32, Problem> {
        let within = |text: &str| text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
        Ok(self.read("limit", "an integer from 1 to 100", within)?.unwrap_or(LIMIT))
    }
}
