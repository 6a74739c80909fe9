//! What time alone asks for: expiries, leases that ran out, fallbacks whose turn has come, values nobody can ask for any more.

mod aside;

use std::sync::Arc;

use countersign_model::{Scope, SessionId};
use countersign_session::Turn;
use countersign_session::store::{Lapse, LapseVerdict, StoreError};
use tokio::task::JoinSet;
use tracing::warn;

pub(crate) use aside::SetAside;

use crate::platform::Platform;
use crate::refusal::Refusal;

/// Sessions a round looks at, at most.
const BATCH: usize = 50;

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// Sessions looked at.
    pub sessions: usize,
    /// Whether there may be more to do at once.
    pub more: bool,
}

impl Platform {
    /// One round. Its steps run side by side, so that a store can take them together; one that fails holds up none of the others.
    pub async fn sweep(self: &Arc<Self>) -> Result<Swept, StoreError> {
        let resting = self.set_aside.count(self.clock.now());
        let due = self.set_aside.others(self.store.due(BATCH + resting).await?, BATCH);
        let sessions = due.len();
        let mut round = JoinSet::new();
        for (scope, session) in due {
            round.spawn(Arc::clone(self).lapse(scope, session));
        }
        let mut failed = None;
        while let Some(lapsed) = round.join_next().await {
            // Whoever was broken off here may have taken a turn and not handed its message over.
            let lapsed = lapsed.unwrap_or_else(|_| Err(StoreError::Unavailable("a sweep step died".to_owned())));
            failed = failed.or(lapsed.err());
        }
        self.store.sweep().await?;
        if let Some(failure) = failed {
            return Err(failure);
        }
        Ok(Swept { sessions, more: sessions == BATCH })
    }

    async fn lapse(self: Arc<Self>, scope: Scope, session: SessionId) -> Result<(), StoreError> {
        let lapsed = self.take_up(scope, session).await;
        if let Err(StoreError::Unreadable(_)) = &lapsed {
            self.set_aside.put(session, self.clock.now());
        }
        lapsed
    }

    async fn take_up(self: &Arc<Self>, scope: Scope, session: SessionId) -> Result<(), StoreError> {
        match self.store.lapse(Lapse { scope, session, given_up: None }).await? {
            LapseVerdict::Settled => Ok(()),
            LapseVerdict::FallbackDue => self.fall_back(scope, session).await,
            LapseVerdict::Undelivered { message, channel } => {
                let Some(found) = self.store.find(scope, session).await? else { return Ok(()) };
                self.instead(&found, message, channel).await
            }
        }
    }

    /// Opens the next channel and hands its message over, in a task of its own: a slow provider must not hold the round up.
    async fn fall_back(self: &Arc<Self>, scope: Scope, session: SessionId) -> Result<(), StoreError> {
        let Some(found) = self.store.find(scope, session).await? else { return Ok(()) };
        let (advanced, channels, codes) = match self.advance(None, &found, Turn::Due).await {
            Ok(advanced) => advanced,
            Err(Refusal::Unavailable(failure)) => return Err(failure),
            // Verified, canceled or moved on between the look and the step; or not allowed any more, and due until the session expires.
            Err(_) => {
                self.set_aside.put(session, self.clock.now());
                return Ok(());
            }
        };
        let platform = Arc::clone(self);
        let hand_over = async move {
            if let Err(refusal) = platform.hand_over_again(advanced, channels, &codes, None).await {
                warn!(%session, %refusal, "a fallback could not be handed over");
            }
        };
        self.tasks.spawn(hand_over);
        Ok(())
    }
}
