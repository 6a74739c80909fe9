//! What each step does to the rows of a store: read, decide, write, log. The rules are the session's; here stands only the order.

mod account;
mod claims;
mod counts;
mod end;
mod guard;
mod head;
mod names;
mod open;
mod receive;
mod record;
mod send_again;
mod strike;
mod verify;

use countersign_model::{Aggregate, EventKind, LogEntry, Scope, SessionId};

pub use account::Credit;
pub(crate) use account::{Cut, Rebuild};
pub use claims::Claim;
pub use counts::{Count, SendLimits};
pub use end::{Cancel, Lapse};
pub use guard::{Admit, Guard};
pub(crate) use head::{Revoke, SetRevision};
pub use open::Open;
pub use receive::Receive;
pub(crate) use receive::{FindMessage, NameMessage};
pub use record::{Outcomes, Record};
pub use send_again::{Advance, Resend};
pub use strike::{Strike, Unblock};
pub use verify::Verify;

use self::account::Funds;
use super::StoreError;
use super::rows::Rows;
use crate::session::{Context, Session};

/// A step: one atomic change of a store and what it answers.
pub(crate) trait Step: Send + 'static {
    /// What it answers.
    type Verdict: Send + 'static;

    /// Takes the step. An error leaves nothing behind: the engine undoes what was written.
    fn take(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<Self::Verdict, StoreError>;
}

/// The session, unless it is past the life of its token.
fn living(rows: &mut dyn Rows, scope: Scope, id: SessionId, cx: &Context<'_>) -> Result<Option<Session>, StoreError> {
    Ok(rows.session(scope, id)?.filter(|session| !session.is_forgotten(cx.now)))
}

/// The session, if anybody may ask something of it: a notice hears nothing.
fn asked(rows: &mut dyn Rows, scope: Scope, id: SessionId, cx: &Context<'_>) -> Result<Option<Session>, StoreError> {
    Ok(living(rows, scope, id, cx)?.filter(|session| !session.is_notice()))
}

/// Writes the session, what it does to the balance, and what happened.
fn finish(
    rows: &mut dyn Rows,
    session: &mut Session,
    funds: Funds,
    mut events: Vec<EventKind>,
    cx: &Context<'_>,
) -> Result<(), StoreError> {
    if let Funds::Moved(mut account) = funds {
        let available = account.available();
        if !account.low_told && session.low_at().is_some_and(|mark| available < mark) {
            account.low_told = true;
            events.push(EventKind::BalanceLow { available });
        }
        rows.put_account(session.scope().tenant, &account)?;
    }
    let events = session.number(events);
    rows.put_session(session)?;
    if events.is_empty() {
        return Ok(());
    }
    rows.append(&LogEntry {
        sequence: 0,
        partition: session.id().partition(),
        at: cx.now,
        scope: session.scope(),
        mode: session.mode(),
        of: Aggregate::Session(session.id()),
        events,
    })
}
