//! Asks sentinels for the primary.

use std::sync::Arc;
use std::time::Duration;

use redis::{ConnectionAddr, ErrorKind, RedisError, RedisResult};

use super::super::connector::{Connector, address};
use super::super::settings::is_tls;
use super::super::topology::Found;
use super::ask_all;

/// The sentinels of one primary.
#[derive(Debug)]
pub(crate) struct Sentinels {
    connector: Connector,
    addresses: Vec<ConnectionAddr>,
    name: String,
}

impl Sentinels {
    pub(super) fn new(connector: Connector, addresses: Vec<ConnectionAddr>, name: String) -> Self {
        Self { connector, addresses, name }
    }

    /// The primary that most sentinels name: one that was cut off names the old one. Whether it takes writes is seen when it is connected to.
    pub(super) async fn ask(&self) -> RedisResult<Vec<Found>> {
        let majority = self.addresses.len() / 2 + 1;
        let name: Arc<str> = self.name.as_str().into();
        let question = |connector: Arc<Connector>, sentinel| ask_one(connector, sentinel, Arc::clone(&name));
        let enough = |answers: &[Option<ConnectionAddr>]| votes(answers).is_some_and(|(_, votes)| votes >= majority);
        let (answers, error) = ask_all(&self.connector, self.addresses.clone(), question, enough).await;
        match votes(&answers) {
            Some((address, _)) => Ok(vec![Found { address: address.clone(), places: u16::MAX }]),
            None if answers.is_empty() => Err(error.unwrap_or_else(|| none("no sentinel answers"))),
            None => Err(none("no sentinel knows a primary of this name")),
        }
    }
}

fn none(what: &'static str) -> RedisError {
    RedisError::from((ErrorKind::MasterNameNotFoundBySentinel, what))
}

/// The address named most often, and how often.
fn votes(answers: &[Option<ConnectionAddr>]) -> Option<(&ConnectionAddr, usize)> {
    let counted = answers.iter().flatten().map(|it| (it, answers.iter().flatten().filter(|other| *other == it).count()));
    counted.max_by_key(|(_, votes)| *votes)
}

async fn ask_one(connector: Arc<Connector>, sentinel: ConnectionAddr, name: Arc<str>) -> RedisResult<Option<ConnectionAddr>> {
    let mut connection = connector.connect(&connector.info(&sentinel)?, Duration::ZERO).await?;
    let mut question = redis::cmd("SENTINEL");
    question.arg("GET-MASTER-ADDR-BY-NAME").arg(&*name);
    let named: Option<(String, u16)> = question.query_async(&mut connection).await?;
    Ok(named.map(|(host, port)| address(&host, port, is_tls(&sentinel))))
}
