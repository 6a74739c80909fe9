//! Counts beside those of steps on sessions, and wrong guesses that are spared or forgiven.

use countersign_model::{Channel, Limit};

use super::bench::{BUDGET, Bench, DAY, MINUTE, SECOND, WRONG, code, expect_verdict, fresh};
use crate::code::{SubjectKey, SubjectKind};
use crate::session::{Judgement, Session};
use crate::store::{OpenVerdict, Strike, StrikeVerdict, Unblock, Verify, VerifyVerdict};

const SMS: Channel = Channel::Sms;
const LIMIT: Limit = Limit { max: 5, window: MINUTE };

async fn strike(bench: &Bench, subject: SubjectKey, count: u32) -> StrikeVerdict {
    let strike = Strike { tenant: bench.scope.tenant, subject, limit: LIMIT, count };
    bench.store.strike(strike).await.unwrap()
}

async fn unblock(bench: &Bench, session: &Session) -> bool {
    let unblock = Unblock { tenant: bench.scope.tenant, subject: session.budgets()[0] };
    bench.store.unblock(unblock).await.unwrap()
}

/// A wrong guess that the recipient's budget does not pay for.
async fn spared(bench: &Bench, session: &Session, guess: &str) -> VerifyVerdict {
    let step = Verify { spare_budget: true, ..bench.verify_step(session, &[(SMS, guess)]) };
    fresh(bench.store.verify(step).await.unwrap())
}

/// A session of the same person each time, with as many attempts as there are.
async fn session(bench: &Bench) -> Session {
    let mut open = bench.opening_for(1_000, &[SMS]);
    open.session.policy.max_attempts = 200;
    open.session.users.clear();
    bench.open(open).await
}

pub async fn strikes_add_up_to_their_limit_and_no_further(bench: Bench) {
    let subject = bench.subject(SubjectKind::Misses, "");
    assert_eq!(strike(&bench, subject, 0).await, StrikeVerdict::Room { remaining: 5 });
    assert_eq!(strike(&bench, subject, 3).await, StrikeVerdict::Room { remaining: 2 });
    bench.clock.advance(SECOND * 10);
    assert_eq!(strike(&bench, subject, 3).await, StrikeVerdict::Full { wait: SECOND * 50 });
    assert_eq!(strike(&bench, subject, 2).await, StrikeVerdict::Room { remaining: 0 });
    assert_eq!(strike(&bench, subject, 0).await, StrikeVerdict::Full { wait: SECOND * 50 });
    assert_eq!(strike(&bench, bench.subject(SubjectKind::Misses, "other"), 1).await, StrikeVerdict::Room { remaining: 4 });
    bench.clock.advance(SECOND * 50);
    assert_eq!(strike(&bench, subject, 0).await, StrikeVerdict::Room { remaining: 3 });
    assert_eq!(strike(&bench, subject, 6).await, StrikeVerdict::Full { wait: MINUTE }, "that never fits");
}

pub async fn a_spared_budget_counts_no_wrong_guess(bench: Bench) {
    let session = session(&bench).await;
    for _ in 0..30 {
        expect_verdict!(spared(&bench, &session, WRONG).await, VerifyVerdict::Judged(..) => ());
    }
    let judgement = bench.judged(&session, &[(SMS, WRONG)]).await;
    assert_eq!(judgement.attempts_remaining, 200 - 31, "the session counts them all");
    for _ in 1..BUDGET.wrong.max {
        bench.judged(&session, &[(SMS, WRONG)]).await;
    }
    expect_verdict!(bench.guess(&session, &[(SMS, WRONG)]).await, VerifyVerdict::RecipientBlocked { .. } => ());
    let heard = spared(&bench, &session, code(SMS)).await;
    let judgement: Judgement = expect_verdict!(heard, VerifyVerdict::Judged(_, judgement, _) => judgement);
    assert!(judgement.session_verified, "the call that was counted has paid for this comparison, too");
}

pub async fn a_blocked_recipient_is_not_heard_though_its_budget_be_spared(bench: Bench) {
    let session = blocked(&bench).await;
    expect_verdict!(spared(&bench, &session, code(SMS)).await, VerifyVerdict::RecipientBlocked { .. } => ());
}

/// A session of a recipient that has only ever failed.
async fn blocked(bench: &Bench) -> Session {
    let mut last = session(bench).await;
    for nth in 0..BUDGET.block_after {
        if nth > 0 && nth % BUDGET.wrong.max == 0 {
            bench.clock.advance(DAY);
            last = session(bench).await;
        }
        bench.judged(&last, &[(SMS, WRONG)]).await;
    }
    last
}

pub async fn an_unblocked_recipient_is_heard_again(bench: Bench) {
    let session = blocked(&bench).await;
    expect_verdict!(bench.try_open(bench.opening_for(1_000, &[SMS])).await, OpenVerdict::RecipientBlocked { .. } => ());
    assert!(unblock(&bench, &session).await);
    assert!(!unblock(&bench, &session).await, "nothing is left to lift");
    for _ in 0..BUDGET.wrong.max {
        bench.judged(&session, &[(SMS, WRONG)]).await;
    }
    expect_verdict!(bench.guess(&session, &[(SMS, WRONG)]).await, VerifyVerdict::RecipientBlocked { .. } => ());
    assert!(unblock(&bench, &session).await);
    assert!(bench.judged(&session, &[(SMS, code(SMS))]).await.session_verified);
}

pub async fn unblocking_who_is_not_blocked_forgets_the_guesses_and_says_so(bench: Bench) {
    let session = session(&bench).await;
    assert!(!unblock(&bench, &session).await, "nothing was ever counted");
    for _ in 1..BUDGET.wrong.max {
        bench.judged(&session, &[(SMS, WRONG)]).await;
    }
    assert!(!unblock(&bench, &session).await);
    for _ in 0..BUDGET.wrong.max {
        bench.judged(&session, &[(SMS, WRONG)]).await;
    }
}
