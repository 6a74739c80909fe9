//! What the log tells stands in the records.

use std::time::Duration;

use countersign_model::{Attempt, Channel, Clock as _, FailureReason, MessageStatus, Mode, ReceiptFailover, Report, Undelivered};
use countersign_records::{ListFilter, SessionState, ShownStatus};
use countersign_session::{Billing, CodeSource};

use crate::bench::{Bench, CODE, EMAIL, SMS, accepted, money, on_both, read_all};

on_both! {
    async fn the_whole_story_of_a_session_is_found(bench: Bench) {
        let session = bench.open(&[EMAIL, SMS], |_| {}).await;
        bench.record(&session, &[(EMAIL, accepted()), (SMS, Attempt::Failed(FailureReason::Unreachable))]).await;
        bench.guess(&session, EMAIL, "999999").await;
        bench.clock.advance(Duration::from_secs(9));
        bench.guess(&session, EMAIL, CODE).await;
        let progress = bench.project().await;
        assert_eq!((progress.taken, progress.known, progress.set_aside), (4, 0, 0));

        let found = bench.recorded(session.id()).await;
        let live = bench.store_session(&session).await;
        assert_eq!((found.status, found.shown_status, found.shown_channel), (SessionState::Verified, ShownStatus::Verified, EMAIL));
        assert_eq!((found.attempts_remaining, found.max_attempts), (2, 3));
        assert_eq!((found.created_at, found.expires_at, found.verified_at), (live.created_at(), live.expires_at(), live.verified_at()));
        assert_eq!((found.metadata.as_str(), found.purpose.as_str()), ("{\"order\":17}", "verification"));
        let channels: Vec<_> = found.channels.iter().map(|it| (it.channel, it.verified, it.messages.len())).collect();
        assert_eq!(channels, [(EMAIL, true, 1), (SMS, false, 1)]);

        let mail = bench.records.messages().find(bench.scope(), live.challenges()[0].message.id).await.unwrap().unwrap();
        assert_eq!((mail.status, mail.provider.as_deref(), mail.provider_id.as_deref()), (MessageStatus::Sent, Some("house"), Some("7")));
        assert_eq!(mail.sent_at, live.challenges()[0].message.sent_at);
        let sms = bench.records.messages().find(bench.scope(), live.challenges()[1].message.id).await.unwrap().unwrap();
        assert_eq!((sms.status, sms.reason.as_deref(), sms.country.as_deref()), (MessageStatus::Failed, Some("unreachable"), Some("US")));
        let history: Vec<_> = bench.records.messages().history(sms.id).await.unwrap().iter().map(|it| (it.number, it.status)).collect();
        assert_eq!(history, [(1, MessageStatus::Pending), (3, MessageStatus::Failed)]);
        let page = bench.records.messages().page(&ListFilter::all(bench.realm()), None, 0, 10).await.unwrap();
        assert_eq!((page.total, page.rows.len()), (2, 2));
    }

    async fn a_session_that_was_sent_again_keeps_all_of_its_messages(bench: Bench) {
        let session = bench.open(&[EMAIL], |new| new.fallback = vec![bench.planned(SMS)]).await;
        bench.record(&session, &[(EMAIL, accepted())]).await;
        for _ in 0..3 {
            bench.guess(&session, EMAIL, "999999").await;
        }
        bench.project().await;
        let locked = bench.recorded(session.id()).await;
        assert_eq!((locked.status, locked.shown_status, locked.attempts_remaining), (SessionState::Locked, ShownStatus::Sent, 0));
        bench.resend(&session).await;
        bench.project().await;
        let again = bench.recorded(session.id()).await;
        let live = bench.store_session(&session).await;
        assert_eq!((again.status, again.attempts_remaining, again.expires_at), (SessionState::Pending, 3, live.expires_at()));
        assert_eq!((again.channels[0].messages.len(), again.shown_status), (2, ShownStatus::Pending));
        assert_eq!((again.channels[1].channel, again.channels[1].messages.len()), (SMS, 0), "its turn has not come");
        bench.clock.advance(Duration::from_hours(1));
        bench.lapse(&session).await;
        bench.project().await;
        let over = bench.recorded(session.id()).await;
        assert_eq!((over.status, over.shown_status), (SessionState::Expired, ShownStatus::Expired));
        let unclear = bench.records.messages().find(bench.scope(), again.channels[0].messages[1]).await.unwrap().unwrap();
        assert_eq!((unclear.status, unclear.reason.as_deref()), (MessageStatus::Pending, Some("unclear")));
        let expired = ListFilter { status: Some(ShownStatus::Expired), ..ListFilter::all(bench.realm()) };
        assert_eq!(bench.records.sessions().page(&expired, 0, 9).await.unwrap().total, 1);
    }

    async fn what_receipts_say_stands_beside_each_message(bench: Bench) {
        let session = bench.open(&[SMS], |new| new.policy.receipts.failover = ReceiptFailover::Provider).await;
        bench.record(&session, &[(SMS, accepted())]).await;
        bench.receive(&session, SMS, Report::Undelivered(Undelivered::Expired), None).await;
        bench.project().await;
        let found = bench.recorded(session.id()).await;
        assert_eq!((found.status, found.shown_status), (SessionState::Pending, ShownStatus::Failed));
        let message = async |nth: usize| {
            let ids = bench.recorded(session.id()).await.channels[0].messages.clone();
            bench.records.messages().find(bench.scope(), ids[nth]).await.unwrap().unwrap()
        };
        let lost = message(0).await;
        assert_eq!((lost.status, lost.reason.as_deref(), lost.failed_at), (MessageStatus::Failed, Some("expired"), Some(bench.clock.now())));
        assert!(lost.sent_at.is_some() && lost.provider.as_deref() == Some("house"), "{lost:?}");

        bench.retry(&session).await;
        bench.record(&session, &[(SMS, accepted())]).await;
        bench.clock.advance(Duration::from_secs(10));
        bench.receive(&session, SMS, Report::Delivered, Some("310-260")).await;
        bench.project().await;
        let arrived = message(1).await;
        assert_eq!((arrived.status, arrived.carrier.as_deref()), (MessageStatus::Delivered, Some("310-260")));
        assert_eq!(arrived.delivered_at, Some(bench.clock.now().minus(Duration::from_secs(2))));
        assert_eq!(bench.recorded(session.id()).await.shown_status, ShownStatus::Delivered);
        let history: Vec<_> = bench.records.messages().history(lost.id).await.unwrap().iter().map(|it| it.status).collect();
        assert_eq!(history, [MessageStatus::Pending, MessageStatus::Sent, MessageStatus::Failed]);
        let page = bench.records.messages().page(&ListFilter::all(bench.realm()), None, 0, 10).await.unwrap();
        assert_eq!((page.total, page.rows.len()), (2, 2));
    }

    async fn a_receipt_that_is_quicker_than_its_provider_is_not_taken_back(bench: Bench) {
        let session = bench.open(&[SMS], |_| {}).await;
        bench.receive(&session, SMS, Report::Delivered, None).await;
        bench.clock.advance(Duration::from_secs(1));
        bench.record(&session, &[(SMS, accepted())]).await;
        assert_eq!(bench.project().await.set_aside, 0);
        let id = session.challenges()[0].message.id;
        let found = bench.records.messages().find(bench.scope(), id).await.unwrap().unwrap();
        assert_eq!((found.status, found.sent_at), (MessageStatus::Delivered, Some(bench.clock.now())));
        assert_eq!((found.provider.as_deref(), found.provider_id.as_deref()), (Some("house"), Some("7")));
    }

    async fn of_a_notice_only_the_message_is_shown(bench: Bench) {
        bench.wallets().top_up(bench.tenant, money("5"), "", "call 1").await.unwrap();
        let session = bench.sent().await;
        let notice = bench.open(&[SMS], |new| {
            new.codes = CodeSource::Notice;
            new.billing = Some(Billing { fee: money("0.10"), low_at: None });
            new.challenges[0].cost = money("0.30");
        });
        let notice = notice.await;
        bench.record(&notice, &[(SMS, accepted())]).await;
        let progress = bench.project().await;
        assert_eq!((progress.taken, progress.set_aside), (4, 0));

        assert_eq!(bench.records.sessions().find(bench.scope(), notice.id()).await.unwrap(), None);
        let page = bench.records.sessions().page(&ListFilter::all(bench.realm()), 0, 10).await.unwrap();
        assert_eq!((page.total, page.rows.len(), page.rows[0].id), (1, 1, session.id()));
        let slice = bench.records.sessions().after(&ListFilter::all(bench.realm()), None, 10).await.unwrap();
        assert_eq!((slice.rows.len(), slice.next), (1, None));
        let message = notice.challenges()[0].message.id;
        let message = bench.records.messages().find(bench.scope(), message).await.unwrap().unwrap();
        assert_eq!((message.status, message.cost), (MessageStatus::Sent, money("0.30")));
        let listed = bench.records.messages().page(&ListFilter::all(bench.realm()), None, 0, 10).await.unwrap();
        assert_eq!((listed.total, listed.rows.len()), (2, 2));
        assert_eq!(bench.records.ledger().sum(bench.tenant).await.unwrap().balance, money("4.70"));

        bench.clock.advance(Duration::from_hours(1));
        bench.lapse(&notice).await;
        assert_eq!(bench.project().await.set_aside, 0);
        assert_eq!(bench.records.sessions().page(&ListFilter::all(bench.realm()), 0, 10).await.unwrap().total, 1);
    }

    async fn sandbox_sessions_are_listed_apart(bench: Bench) {
        bench.sent().await;
        bench.open(&[EMAIL], |new| new.mode = Mode::Sandbox).await;
        bench.project().await;
        for mode in [Mode::Live, Mode::Sandbox] {
            let realm = countersign_records::Realm { mode, ..bench.realm() };
            assert_eq!(bench.records.messages().page(&ListFilter::all(realm), None, 0, 9).await.unwrap().total, 1, "{mode:?}");
            assert_eq!(bench.records.sessions().after(&ListFilter::all(realm), None, 9).await.unwrap().rows.len(), 1, "{mode:?}");
        }
    }

    async fn a_proved_address_is_kept_once_with_what_proved_it(bench: Bench) {
        let mut sessions = Vec::new();
        for _ in 0..2 {
            let person = |new: &mut countersign_session::NewSession| {
                new.add_contact = true;
                new.challenges[0].recipient = countersign_model::Recipient::parse(SMS, "+12025550100").unwrap();
            };
            let session = bench.open(&[Channel::Sms], person).await;
            bench.record(&session, &[(SMS, accepted())]).await;
            bench.guess(&session, SMS, CODE).await;
            sessions.push(session);
            bench.project().await;
        }
        let contact = bench.records.contacts().find_by_phone(bench.tenant, "+12025550100").await.unwrap().unwrap();
        assert_eq!((contact.verified_channels.as_slice(), contact.fields.email), ([SMS].as_slice(), None));
        let all = bench.records.contacts().list(bench.tenant, countersign_records::Start::Offset(0), 9).await.unwrap();
        assert_eq!(all.total, 1, "{all:?}");
    }

    async fn a_contact_is_made_in_the_language_that_its_send_named_and_keeps_the_one_it_has(bench: Bench) {
        let phone = "+12025550101";
        let mut found = Vec::new();
        for named in [Some("pt-BR"), Some("fr"), None] {
            let person = |new: &mut countersign_session::NewSession| {
                (new.add_contact, new.contact_locale) = (true, named.map(str::to_owned));
                new.challenges[0].recipient = countersign_model::Recipient::parse(SMS, phone).unwrap();
            };
            let session = bench.open(&[Channel::Sms], person).await;
            bench.record(&session, &[(SMS, accepted())]).await;
            // The log is read in several turns: what was named is remembered between them.
            bench.project().await;
            bench.guess(&session, SMS, CODE).await;
            bench.project().await;
            let contact = bench.records.contacts().find_by_phone(bench.tenant, phone).await.unwrap().unwrap();
            found.push(contact.fields.locale);
        }
        assert_eq!(found, vec![Some("pt-BR".to_owned()); 3]);
        let other = bench.open(&[Channel::Sms], |new| new.add_contact = true).await;
        bench.guess(&other, SMS, CODE).await;
        bench.project().await;
        let recipient = other.challenges()[0].recipient.address().to_owned();
        let contact = bench.records.contacts().find_by_phone(bench.tenant, &recipient).await.unwrap().unwrap();
        assert_eq!(contact.fields.locale, None, "nobody named a language");
    }

    async fn two_projectors_that_race_take_each_entry_in_once(bench: Bench) {
        for _ in 0..40 {
            let session = bench.sent().await;
            bench.guess(&session, EMAIL, CODE).await;
        }
        bench.endpoint("https://example.com/", &[]).await;
        let racing: Vec<_> = (0..4).map(|_| bench.projector()).map(|it| tokio::spawn(async move { read_all(&it).await })).collect();
        let mut taken = 0;
        for racer in racing {
            let progress = racer.await.unwrap();
            assert_eq!((progress.known, progress.set_aside), (0, 0));
            taken += progress.taken;
        }
        assert_eq!(taken, 120);
        let realm = bench.realm();
        assert_eq!(bench.records.sessions().page(&ListFilter::all(realm), 0, 1).await.unwrap().total, 40);
        assert_eq!(bench.records.messages().page(&ListFilter::all(realm), None, 0, 1).await.unwrap().total, 40);
        assert_eq!(bench.records.webhook_deliveries().count_pending(1000).await.unwrap(), 120);
    }

    async fn whoever_reads_a_partition_is_left_alone_with_it_for_a_while(bench: Bench) {
        bench.sent().await;
        let (one, other) = (bench.projector(), bench.projector());
        assert_eq!(one.round().await.unwrap().taken, 2);
        bench.sent().await;
        assert_eq!(other.round().await.unwrap().taken, 0);
        bench.clock.advance(Duration::from_secs(5));
        assert_eq!(other.round().await.unwrap().taken, 2, "the first one is gone");
    }
}

impl Bench {
    async fn store_session(&self, session: &countersign_session::Session) -> countersign_session::Session {
        use countersign_session::store::SessionStore as _;
        self.store.find(self.scope(), session.id()).await.unwrap().unwrap()
    }
}
