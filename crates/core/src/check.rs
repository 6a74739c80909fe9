//! Check a code that says at most whose it is, and not which session it belongs to.

use countersign_model::{Dialect, Limit, LimitName, Recipient};
use countersign_session::store::{self, NameQuery, Strike, StrikeVerdict};
use countersign_session::{Guess, Guesses, Session, SessionStatus, SubjectKind};

use crate::admission::Told;
use crate::callers::Caller;
use crate::platform::Platform;
use crate::refusal::Refusal;
use crate::verify::heard;

/// The dialect whose sessions are looked through. Those of others have handles of their own.
const DIALECT: Dialect = Dialect::GetOtp;

/// What a caller submits.
#[derive(Debug, Clone)]
pub struct Check {
    /// What was typed.
    pub code: Guess,
    /// By whom; none: the code alone must find its session.
    pub recipient: Option<Recipient>,
}

impl Platform {
    /// Completes every session that waits for this code, and gives them as they are then. None at all: the code is wrong, was used before, came
    /// too late, or nobody waits for one. These are not told apart.
    ///
    /// A wrong code for a recipient counts as a wrong guess of each session that waits for one of his, and once against his budget. One for
    /// nobody in particular counts against the tenant's own budget.
    pub async fn check(&self, caller: &Caller, command: Check) -> Result<Vec<Session>, Refusal> {
        let caller = self.admit(caller).await?;
        match &command.recipient {
            Some(recipient) => self.check_of(&caller, recipient, &command.code).await,
            None => self.check_of_anybody(&caller, &command.code).await,
        }
    }

    async fn check_of(&self, caller: &Caller, recipient: &Recipient, code: &Guess) -> Result<Vec<Session>, Refusal> {
        let name = self.recipient_name(caller.scope.tenant, caller.mode(), DIALECT, "", recipient);
        let found = self.store.named(caller.scope, NameQuery::Recipient(name)).await?;
        let now = self.clock.now();
        let waiting = found.into_iter().filter(|session| self.is_checked(caller, session));
        let (meant, others): (Vec<_>, Vec<_>) = waiting.partition(|session| session.waits_for(code, &self.keys, now));
        let asked = if meant.is_empty() { others } else { meant };
        let mut opened = Vec::new();
        for (nth, session) in asked.iter().enumerate() {
            // However many sessions a recipient has, it is one guess at him.
            opened.extend(self.guess(caller, session, code, nth > 0).await?);
        }
        Ok(opened)
    }

    async fn check_of_anybody(&self, caller: &Caller, code: &Guess) -> Result<Vec<Session>, Refusal> {
        let query = NameQuery::Code { mode: caller.mode(), guess: code.clone() };
        let found = self.store.named(caller.scope, query).await?;
        let now = self.clock.now();
        let meant: Vec<&Session> =
            found.iter().filter(|session| self.is_checked(caller, session) && session.waits_for(code, &self.keys, now)).collect();
        // Each code comes by the count once, and the count takes them one after the other: however many are tried at the same moment, a right one
        // is heard only while no more wrong ones than allowed came before it.
        self.miss(caller, u32::from(meant.is_empty())).await?;
        let mut opened = Vec::new();
        for session in meant {
            match self.guess(caller, session, code, false).await {
                Ok(session) => opened.extend(session),
                // Others may have the same code; and where nobody has, this one is as good as wrong.
                Err(Refusal::RecipientBlocked { .. }) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(opened)
    }

    fn is_checked(&self, caller: &Caller, session: &Session) -> bool {
        let is_open = session.status(self.clock.now()) == SessionStatus::Pending;
        is_open && session.dialect() == DIALECT && session.mode() == caller.mode()
    }

    /// One session's verdict: the session if the guess completed it. The call has been counted.
    async fn guess(
        &self,
        caller: &Caller,
        session: &Session,
        code: &Guess,
        spare_budget: bool,
    ) -> Result<Option<Session>, Refusal> {
        let step = store::Verify {
            guard: None,
            scope: caller.scope,
            session: session.id(),
            step: self.step_id(caller.scope.tenant),
            budgets: session.budgets(),
            guesses: Guesses::Unnamed(code.clone()),
            spare_budget,
            claim: None,
        };
        let Told::Verdict(verdict, _) = self.told(caller, self.store.verify(step).await?).await? else {
            return Err(Refusal::Internal("a step that nobody asked for was turned away"));
        };
        self.metrics.verdict(&verdict);
        self.metrics.messages.verdict(&verdict);
        match heard(verdict) {
            Ok((session, judgement)) => Ok(judgement.session_verified.then_some(*session)),
            Err(refusal @ (Refusal::RecipientBlocked { .. } | Refusal::Unavailable(_))) => Err(refusal),
            // Somebody else was quicker, or its time came.
            Err(_) => Ok(None),
        }
    }

    /// Counts a code that opened nothing; `count` 0: only looks whether one more would fit.
    async fn miss(&self, caller: &Caller, count: u32) -> Result<(), Refusal> {
        let tenant = caller.scope.tenant;
        let own = caller.config.tenant.settings.limits.code_misses;
        let limit = own.map_or(self.settings.limits.code_misses, Limit::from);
        let subject = self.keys.subject(tenant, caller.mode(), SubjectKind::Misses, "", "");
        match self.store.strike(Strike { tenant, subject, limit, count }).await? {
            StrikeVerdict::Room { .. } => Ok(()),
            StrikeVerdict::Full { wait } => Err(Refusal::Limited { limit: LimitName::CodeMisses, wait, about: None }),
        }
    }
}
