//! Sends a call, and once more where that may help.

use std::time::Duration;

use countersign_model::Partition;
use redis::{ConnectionAddr, RedisError, Value};
use tokio::time::{Instant, sleep, timeout_at};

use super::connector::address;
use super::error::{LinkError, Trouble};
use super::line::Connection;
use super::prepare::RunId;
use super::primary::{Primary, bit};
use super::script::Call;
use super::settings::is_tls;
use super::shared::{Place, Shared};

/// How long a server is left alone that said that it cannot now.
const LATER: Duration = Duration::from_millis(100);

/// What a script answered.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Its answer; never an error.
    pub(crate) value: Value,
    /// Who answered: what the barrier asks for.
    pub(crate) ran: Ran,
}

/// Which start of which server took a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ran(pub(super) RunId);

/// How the second time is sent.
enum Way {
    /// To who takes the partition's steps.
    Usual,
    /// To a node that a slot is moving to.
    Asking(String),
}

impl Shared {
    /// Sends a call; sends it once more, word for word, when the first time came to nothing that is final. Never a third time.
    pub(super) async fn call(&self, call: &Call) -> Result<Reply, LinkError> {
        let _flight = self.take_off()?;
        let until = Instant::now() + self.settings.deadline;
        let mut place = self.reach(call.partition(), until).await?;
        match place.connection.ask(call.command()).await {
            Ok(value) => {
                place.line.heard();
                Ok(Reply { value, ran: Ran(place.connection.run) })
            }
            // Apart, because it is rare and would make every call's future as large as itself.
            Err(error) => Box::pin(self.again(call, place, error, until)).await,
        }
    }

    async fn again(&self, call: &Call, mut place: Place, error: RedisError, until: Instant) -> Result<Reply, LinkError> {
        let trouble = Trouble::of(&error, call.script());
        if let Trouble::Final(refused) = trouble {
            place.line.heard();
            return Err(refused);
        }
        tracing::debug!(%error, script = call.script().name(), partition = call.partition().number(), "a call is sent once more");
        let way = self.mend(call, &mut place, trouble, until).await;
        if Instant::now() >= until {
            return Err(LinkError::unavailable(&error));
        }
        let (ran, second) = match way {
            Way::Usual => {
                place = self.reach(call.partition(), until).await?;
                (Ran(place.connection.run), timeout_at(until, place.connection.ask(call.command())).await)
            }
            Way::Asking(node) => {
                let mut connection = self.reach_node(call.partition(), &node, &place, until).await?;
                (Ran(connection.run), timeout_at(until, connection.ask_importing(call.command())).await)
            }
        };
        let error = match second {
            Ok(Ok(value)) => {
                place.line.heard();
                return Ok(Reply { value, ran });
            }
            Ok(Err(error)) => error,
            Err(_) => return Err(LinkError::unavailable(&error)),
        };
        match Trouble::of(&error, call.script()) {
            Trouble::Final(refused) => return Err(refused),
            Trouble::Broken => place.line.give_up(&place.connection),
            Trouble::Silent => place.line.give_up_if_silent(&place.connection, self.settings.per_try),
            Trouble::NoScript | Trouble::Elsewhere | Trouble::Ask(_) | Trouble::Later => {}
        }
        Err(LinkError::unavailable(&error))
    }

    /// Does what `trouble` asks for, and says how to send the second time.
    async fn mend(&self, call: &Call, place: &mut Place, trouble: Trouble, until: Instant) -> Way {
        match trouble {
            Trouble::Broken | Trouble::Final(_) => place.line.give_up(&place.connection),
            Trouble::Silent => place.line.give_up_if_silent(&place.connection, self.settings.per_try),
            Trouble::NoScript => match timeout_at(until, place.connection.load(call.script())).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => place.line.give_up(&place.connection),
            },
            Trouble::Elsewhere if self.discovery.can_change() => {
                // What the second time needs is kept back.
                let latest = until.checked_sub(self.settings.per_try).unwrap_or(until);
                self.wait_for_other(place.topology, latest).await;
            }
            Trouble::Elsewhere => {
                // The name may lead to another server by now.
                place.line.give_up(&place.connection);
                sleep(LATER).await;
            }
            Trouble::Later => sleep(LATER).await,
            Trouble::Ask(node) => return Way::Asking(node),
        }
        Way::Usual
    }

    /// A connection to a node that another has named, `host:port`.
    async fn reach_node(&self, partition: Partition, node: &str, place: &Place, until: Instant) -> Result<Connection, LinkError> {
        let named = named(node, place.primary.address());
        let named = named.ok_or_else(|| LinkError::Unavailable(format!("a node names another that cannot be read: {node}")))?;
        let primary = match self.topology().at(&named) {
            Some(primary) => std::sync::Arc::clone(primary),
            None => Primary::new(named, bit(partition), &self.equipment).map_err(|error| LinkError::unavailable(&error))?,
        };
        primary.line().connection(&primary, until).await.map_err(|_| LinkError::Unavailable(format!("{node} cannot be reached")))
    }
}

/// `host:port` as a node names another; without a host it is its own.
fn named(node: &str, by: &ConnectionAddr) -> Option<ConnectionAddr> {
    let (host, port) = node.rsplit_once(':')?;
    let (ConnectionAddr::Tcp(own, _) | ConnectionAddr::TcpTls { host: own, .. }) = by else { return None };
    Some(address(if host.is_empty() { own } else { host }, port.parse().ok()?, is_tls(by)))
}
