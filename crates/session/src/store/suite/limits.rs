//! What is counted, and what is refused when it is used up. A refused call counts against nothing.

use std::time::Duration;

use countersign_model::{Channel, EventKind, LimitName, VerificationMode};

use super::bench::{BUDGET, Bench, DAY, MINUTE, SECOND, UNREACHABLE, WRONG, code, expect_verdict, limits, per_ip};
use crate::code::SubjectKind;
use crate::session::Session;
use crate::store::{Open, OpenVerdict, Resend, SendAgainVerdict, VerifyVerdict};

const EMAIL: (Channel, &str) = (Channel::Email, code(Channel::Email));
const MILLI: Duration = Duration::from_millis(1);

/// Another opening of the same user, to somebody else.
fn of_user(bench: &Bench, user: &str) -> Open {
    let mut open = bench.opening(&[Channel::Email]);
    open.session.users = vec![bench.subject(SubjectKind::User, user)];
    open
}

/// Another opening to the recipient `person`, of another user.
fn to_person(bench: &Bench, person: u32) -> Open {
    let mut open = bench.opening_for(person, &[Channel::Email]);
    open.session.users = bench.opening(&[]).session.users;
    open.session.policy.max_attempts = 10;
    open
}

/// Guesses wrong so often at the recipient `person`, over as many sessions as that takes. Tells what the last session's log says.
async fn guess_wrong(bench: &Bench, person: u32, mut times: u32) -> Vec<EventKind> {
    let mut story = Vec::new();
    while times > 0 {
        let session = bench.open(to_person(bench, person)).await;
        for _ in 0..times.min(10) {
            bench.judged(&session, &[(Channel::Email, WRONG)]).await;
        }
        times -= times.min(10);
        story = bench.story(&session).await;
    }
    story
}

fn limited(limit: LimitName, wait: Duration) -> OpenVerdict {
    OpenVerdict::Limited { limit, wait }
}

pub async fn a_user_is_sent_to_five_times_in_five_minutes_and_no_more(bench: Bench) {
    for _ in 0..5 {
        bench.open(of_user(&bench, "ann")).await;
        bench.clock.advance(SECOND);
    }
    let refused = bench.try_open(of_user(&bench, "ann")).await;
    assert_eq!(refused, limited(LimitName::SendsPerUser, SECOND * 295));
    bench.open(of_user(&bench, "ben")).await;
    bench.clock.advance(SECOND * 295 - MILLI);
    assert_eq!(bench.try_open(of_user(&bench, "ann")).await, limited(LimitName::SendsPerUser, MILLI));
    bench.clock.advance(MILLI);
    bench.open(of_user(&bench, "ann")).await;
    assert_eq!(bench.try_open(of_user(&bench, "ann")).await, limited(LimitName::SendsPerUser, SECOND));
}

pub async fn a_limit_counts_every_user_of_a_session(bench: Bench) {
    let mut both = bench.opening(&[Channel::Email, Channel::Sms]);
    both.session.users = ["ann", "ben"].map(|user| bench.subject(SubjectKind::Address, user)).to_vec();
    bench.open(both).await;
    for user in ["ann", "ben"] {
        for left in [4, 3, 2, 1, 0] {
            let mut open = bench.opening(&[Channel::Email]);
            open.session.users = vec![bench.subject(SubjectKind::Address, user)];
            let verdict = bench.try_open(open).await;
            assert_eq!(matches!(verdict, OpenVerdict::Opened(_)), left > 0, "{user}: {verdict:?}");
        }
    }
}

pub async fn an_address_that_asks_for_many_is_refused_exactly(bench: Bench) {
    let from = |address: &str| {
        let mut open = bench.opening(&[Channel::Email]);
        open.limits.counts.push(per_ip(bench.subject(SubjectKind::Ip, address)));
        open
    };
    for _ in 0..20 {
        bench.open(from("192.0.2.1")).await;
        bench.clock.advance(MINUTE);
    }
    assert_eq!(bench.try_open(from("192.0.2.1")).await, limited(LimitName::SendsPerIp, MINUTE * 40));
    bench.open(from("192.0.2.2")).await;
    bench.clock.advance(MINUTE * 40);
    bench.open(from("192.0.2.1")).await;
}

/// An opening of a user who may have two open sessions.
fn of_two(bench: &Bench) -> Open {
    let mut open = of_user(bench, "ann");
    open.limits.active_per_user = 2;
    open
}

pub async fn a_user_has_only_so_many_open_sessions(bench: Bench) {
    bench.open(of_two(&bench)).await;
    bench.clock.advance(MINUTE);
    bench.open(of_two(&bench)).await;
    assert_eq!(bench.try_open(of_two(&bench)).await, limited(LimitName::ActivePerUser, MINUTE * 9));
    bench.clock.advance(MINUTE * 9);
    bench.open(of_two(&bench)).await;
}

pub async fn an_ended_session_makes_room_for_another(bench: Bench) {
    bench.open(of_two(&bench)).await;
    let session = bench.open(of_two(&bench)).await;
    bench.cancel(&session).await;
    let session = bench.open(of_two(&bench)).await;
    bench.record(&session, &[(Channel::Email, UNREACHABLE)]).await;
    let session = bench.open(of_two(&bench)).await;
    bench.judged(&session, &[EMAIL]).await;
    bench.open(of_two(&bench)).await;
}

pub async fn a_refused_open_counts_against_nothing(bench: Bench) {
    let address = per_ip(bench.subject(SubjectKind::Ip, "192.0.2.1"));
    for _ in 0..5 {
        bench.open(of_user(&bench, "ann")).await;
    }
    for _ in 0..30 {
        let mut open = of_user(&bench, "ann");
        open.session.users.insert(0, bench.subject(SubjectKind::User, "ben"));
        open.limits.counts.push(address);
        let refused = open.session.id;
        assert_eq!(bench.try_open(open).await, limited(LimitName::SendsPerUser, MINUTE * 5));
        assert_eq!(bench.store.find(bench.scope, refused).await, Ok(None));
    }
    assert_eq!(bench.log().await.len(), 5);
    for _ in 0..5 {
        let mut open = of_user(&bench, "ben");
        open.limits.counts.push(address);
        bench.open(open).await;
    }
}

pub async fn a_resend_is_a_send(bench: Bench) {
    let session = bench.open(of_user(&bench, "ann")).await;
    for _ in 0..4 {
        bench.resent(&session).await;
    }
    bench.clock.advance(SECOND * 30);
    let refused = bench.try_resend(bench.resend_step(&session)).await;
    expect_verdict!(refused, SendAgainVerdict::Limited { limit: LimitName::SendsPerUser, wait, .. } => assert_eq!(wait, SECOND * 150));
}

pub async fn a_refused_resend_changes_nothing(bench: Bench) {
    let session = bench.open(of_user(&bench, "ann")).await;
    for _ in 0..4 {
        bench.open(of_user(&bench, "ann")).await;
    }
    bench.clock.advance(MINUTE);
    let before = bench.find(&session).await;
    let refused = bench.try_resend(bench.resend_step(&session)).await;
    expect_verdict!(refused, SendAgainVerdict::Limited { limit: LimitName::SendsPerUser, .. } => ());
    assert_eq!(bench.find(&session).await, before);
    assert!(bench.judged(&session, &[EMAIL]).await.verified);
}

/// What the session answers to a right guess: none when it hears it.
async fn blocked_for(bench: &Bench, session: &Session) -> Option<Duration> {
    match bench.guess(session, &[EMAIL]).await {
        VerifyVerdict::RecipientBlocked { channel: Channel::Email, wait, .. } => Some(wait),
        VerifyVerdict::Judged(_, judgement, _) if judgement.verified => None,
        other => panic!("{other:?}"),
    }
}

pub async fn wrong_guesses_at_a_recipient_add_up_over_resends_and_sessions(bench: Bench) {
    let mut open = to_person(&bench, 1);
    open.session.policy.life = DAY;
    let first = bench.open(open).await;
    for _ in 0..10 {
        bench.judged(&first, &[(Channel::Email, WRONG)]).await;
    }
    let first = bench.resent(&first).await;
    for _ in 0..9 {
        bench.judged(&first, &[(Channel::Email, WRONG)]).await;
    }
    let second = bench.open(to_person(&bench, 1)).await;
    bench.judged(&second, &[(Channel::Email, WRONG)]).await;
    let wait = DAY - SECOND * 30;
    assert_eq!(blocked_for(&bench, &first).await, Some(wait));
    assert_eq!(blocked_for(&bench, &second).await, Some(wait));
    assert_eq!(bench.find(&second).await.attempts_remaining(), 9, "what is not heard costs no attempt");
    bench.clock.advance(wait - SECOND);
    assert_eq!(blocked_for(&bench, &first).await, Some(SECOND));
    bench.clock.advance(SECOND);
    let third = bench.open(to_person(&bench, 1)).await;
    assert_eq!(blocked_for(&bench, &third).await, None);
}

pub async fn a_call_with_more_guesses_than_the_recipient_is_worth_is_not_heard(bench: Bench) {
    guess_wrong(&bench, 1, 19).await;
    let mut open = bench.opening_for(1, &[Channel::Email, Channel::Sms]);
    open.session.users = bench.opening(&[]).session.users;
    let session = bench.open(open).await;
    let two = bench.guess(&session, &[EMAIL, (Channel::Sms, WRONG)]).await;
    expect_verdict!(two, VerifyVerdict::RecipientBlocked { channel: Channel::Email, wait, .. } => assert_eq!(wait, DAY));
    assert!(bench.judged(&session, &[EMAIL, (Channel::Sms, EMAIL.1)]).await.verified);
}

pub async fn a_recipient_that_only_ever_fails_is_blocked_for_longer_each_time(bench: Bench) {
    for _ in 0..4 {
        guess_wrong(&bench, 1, 20).await;
        bench.clock.advance(DAY);
    }
    let mut story = guess_wrong(&bench, 1, 20).await;
    for days in [1, 2, 4, 8, 16, 30, 30] {
        let until = bench.now().plus(DAY * days);
        let blocked = EventKind::RecipientBlocked { channel: Channel::Email, until };
        assert!(story.contains(&blocked), "{days}: {story:?}");
        bench.clock.advance(DAY * days - MILLI);
        let refused = bench.try_open(to_person(&bench, 1)).await;
        assert_eq!(refused, OpenVerdict::RecipientBlocked { channel: Channel::Email, wait: MILLI });
        bench.clock.advance(MILLI);
        story = guess_wrong(&bench, 1, 1).await;
    }
    bench.clock.advance(DAY * 30);
    let session = bench.open(to_person(&bench, 1)).await;
    assert!(bench.judged(&session, &[EMAIL]).await.verified);
    assert!(!guess_wrong(&bench, 1, 1).await.iter().any(|event| event.name() == "recipient.blocked"));
}

pub async fn a_blocked_recipient_is_sent_nothing(bench: Bench) {
    let session = bench.open(to_person(&bench, 1)).await;
    guess_wrong(&bench, 1, BUDGET.wrong.max).await;
    bench.clock.advance(MINUTE);
    let wait = DAY - MINUTE;
    let open = bench.try_open(to_person(&bench, 1)).await;
    assert_eq!(open, OpenVerdict::RecipientBlocked { channel: Channel::Email, wait });
    let resend = bench.try_resend(bench.resend_step(&session)).await;
    expect_verdict!(resend, SendAgainVerdict::RecipientBlocked { channel: Channel::Email, wait: told, .. } => assert_eq!(told, wait));
    bench.open(to_person(&bench, 2)).await;
}

pub async fn of_two_recipients_the_blocked_one_is_named(bench: Bench) {
    let two = |users| {
        let mut open = bench.opening_for(1, &[Channel::Sms, Channel::Email]);
        open.session.policy.verification_mode = VerificationMode::All;
        open.session.users = users;
        open
    };
    let session = bench.open(two(bench.opening(&[]).session.users)).await;
    guess_wrong(&bench, 1, 20).await;
    bench.clock.advance(MINUTE);
    let named = Channel::Email;
    expect_verdict!(bench.try_open(two(Vec::new())).await, OpenVerdict::RecipientBlocked { channel, .. } => assert_eq!(channel, named));
    let both = bench.try_resend(bench.resend_step(&session)).await;
    expect_verdict!(both, SendAgainVerdict::RecipientBlocked { channel, .. } => assert_eq!(channel, named));
    let guess = bench.guess(&session, &[(Channel::Sms, WRONG), EMAIL]).await;
    expect_verdict!(guess, VerifyVerdict::RecipientBlocked { channel, .. } => assert_eq!(channel, named));
    bench.judged(&session, &[(Channel::Sms, WRONG)]).await;
    let other = Resend { channels: Some(vec![Channel::Sms]), limits: limits(), ..bench.resend_step(&session) };
    expect_verdict!(bench.try_resend(other).await, SendAgainVerdict::Sent(_, channels) => assert_eq!(channels, [Channel::Sms]));
}

pub async fn what_is_swept_is_not_missed(bench: Bench) {
    let mut last = 0;
    for day in 1..=5 {
        let story = guess_wrong(&bench, 1, 20).await;
        assert_eq!(story.iter().any(|event| event.name() == "recipient.blocked"), day == 5, "day {day}");
        let log = bench.store.read_log(bench.scope.tenant.partition(), last, usize::MAX).await.unwrap().entries;
        assert_eq!(log.len(), 22, "day {day}");
        assert!(log.is_sorted_by(|one, next| one.sequence < next.sequence) && log[0].sequence > last);
        last = log[21].sequence;
        bench.clock.advance(DAY);
        for _ in 0..3 {
            bench.store.sweep().await.unwrap();
            bench.store.trim_log(bench.scope.tenant.partition(), last, bench.now()).await.unwrap();
        }
        assert!(bench.log().await.len() <= 1);
    }
}
