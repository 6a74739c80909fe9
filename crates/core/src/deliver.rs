//! From a session whose messages are written down to one whose outcomes are: hand over, record, go on to the next channel if need be.

use std::sync::Arc;
use std::time::Duration;

use countersign_channels::Prepared;
use countersign_model::{Attempt, Channel, FailureReason, MessageId, Outgoing};
use countersign_session::store::{Claim, Outcomes, Record, RecordVerdict, StoreError};
use countersign_session::{CodeSource, Delivery, Session, Turn};
use tracing::{error, warn};

use crate::errand::errand;
use crate::languages::Languages;
use crate::message_metrics::Stage;
use crate::platform::Platform;
use crate::refusal::Refusal;
use crate::send::minutes;
use crate::staging::rehearsal;
use crate::wordings::{Speech, speech};

/// First pause before outcomes that the store did not take are offered again; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// A session whose messages have been handed over.
pub(crate) struct Handed {
    pub(crate) session: Session,
    /// The channels of this send.
    pub(crate) channels: Vec<Channel>,
    pub(crate) delivery: Delivery,
}

/// A session that has just opened a channel, which one, and its codes.
type Advanced = (Session, Vec<Channel>, CodeSource);

impl Platform {
    /// Hands messages over and records the outcomes, in a task that outlives its caller. Messages whose providers are final at once are
    /// recorded already: for them there is nothing to wait for.
    pub(crate) async fn hand_over(
        self: &Arc<Self>,
        session: Session,
        prepared: Vec<Prepared>,
        channels: Vec<Channel>,
        claim: Option<Claim>,
    ) -> Result<Handed, Refusal> {
        self.rehearse_receipts(&session, &channels);
        if session.challenges().iter().all(|challenge| challenge.message.attempt != Attempt::Sending) {
            self.router.deliver(prepared).await;
            return Ok(Handed { session, channels, delivery: Delivery::Sent });
        }
        let platform = Arc::clone(self);
        let task = self.tasks.spawn(async move { platform.deliver(session, prepared, Vec::new(), channels, claim).await });
        task.await.map_err(|_| Refusal::Internal("the delivery task died"))?
    }

    /// The same for a send whose channels only the store knew.
    pub(crate) async fn hand_over_again(
        self: &Arc<Self>,
        session: Session,
        channels: Vec<Channel>,
        codes: &CodeSource,
        claim: Option<Claim>,
    ) -> Result<Handed, Refusal> {
        let (prepared, unsaid) = self.word_again(&session, &channels, codes);
        if unsaid.is_empty() {
            return self.hand_over(session, prepared, channels, claim).await;
        }
        self.rehearse_receipts(&session, &channels);
        let platform = Arc::clone(self);
        let task = self.tasks.spawn(async move { platform.deliver(session, prepared, unsaid, channels, claim).await });
        task.await.map_err(|_| Refusal::Internal("the delivery task died"))?
    }

    /// Hands over and records until something went out or no channel is left.
    async fn deliver(
        self: Arc<Self>,
        mut session: Session,
        mut prepared: Vec<Prepared>,
        mut unsaid: Outcomes,
        mut channels: Vec<Channel>,
        claim: Option<Claim>,
    ) -> Result<Handed, Refusal> {
        loop {
            let mut outcomes = self.router.deliver(prepared).await;
            outcomes.append(&mut unsaid);
            let (recorded, delivery) = self.record(session, outcomes, claim, &channels).await?;
            let mut handed = Handed { session: recorded, channels, delivery };
            let Some((advanced, next, codes)) = self.go_on(&mut handed, claim).await? else { return Ok(handed) };
            (prepared, unsaid) = self.word_again(&advanced, &next, &codes);
            self.rehearse_receipts(&advanced, &next);
            channels = handed.channels;
            channels.extend(next);
            session = advanced;
        }
    }

    /// Opens the next channel of a session of which nothing went out, or the one behind it where that one may not be asked or cannot be paid for.
    /// None: nothing is left, or somebody else has opened it; `handed` then tells what stands.
    async fn go_on(self: &Arc<Self>, handed: &mut Handed, claim: Option<Claim>) -> Result<Option<Advanced>, Refusal> {
        while handed.delivery == Delivery::NextFallback {
            let Some(next) = handed.session.next_fallback() else { break };
            // That channel's turn and no other's: whoever took it meanwhile has it.
            match self.advance(None, &handed.session, Turn::Of(next)).await {
                Ok(advanced) => return Ok(Some(advanced)),
                Err(refusal) => warn!(session = %handed.session.id(), %refusal, "a fallback could not follow a send that failed"),
            }
            // No outcome is new, but what all of them come to may be: a session for which nothing is left is closed.
            let stands = self.record(handed.session.clone(), Vec::new(), claim, &handed.channels).await?;
            (handed.session, handed.delivery) = stands;
            if handed.session.next_fallback() == Some(next) {
                break;
            }
            // Opened by somebody else, and an answer to this send all the same.
            let opened = handed.session.challenges().iter().any(|challenge| challenge.channel == next);
            handed.channels.extend(opened.then_some(next));
        }
        Ok(None)
    }

    /// Messages of channels whose codes were just made. One that cannot be put into words, or may not go there any more, has failed. Those to test
    /// recipients are none.
    fn word_again(&self, session: &Session, channels: &[Channel], codes: &CodeSource) -> (Vec<Prepared>, Outcomes) {
        let (mut prepared, mut unsaid) = (Vec::new(), Outcomes::new());
        if session.is_test() {
            return (prepared, unsaid);
        }
        let policy = session.policy();
        let config = self.directory.tenant(session.scope().tenant);
        let rules = config.as_ref().and_then(|config| self.rules(config, session.service(), session.mode()));
        let never_share = rules.as_ref().is_none_or(|rules| rules.service.never_share);
        let spoken = rules.as_ref().and_then(|rules| rules.service.locale.as_deref());
        for challenge in session.challenges().iter().filter(|challenge| channels.contains(&challenge.channel)) {
            let (channel, id, generation) = (challenge.channel, challenge.message.id, challenge.message.generation);
            if rules.as_ref().is_some_and(|rules| self.is_barred(&rules.service, session.mode(), channel, &challenge.recipient)) {
                unsaid.push((id, channel, Attempt::Failed(FailureReason::Refused)));
                continue;
            }
            let code = codes.code(session.id(), channel, policy.shared_code, generation, policy.code_length);
            let (scope, passed_over) = (session.scope(), session.passed_over(channel));
            let errand = errand(scope, session.id(), session.service(), &challenge.recipient, passed_over);
            let languages = Languages::of(Some(session.locale()), errand.country, spoken);
            let Speech { locale, wording } =
                speech(config.as_deref(), session.service(), session.template(), channel, &languages);
            let message = code.map(|code| Outgoing {
                id,
                errand,
                mode: session.mode(),
                channel,
                recipient: challenge.recipient.clone(),
                sender: session.sender().map(str::to_owned),
                code,
                app_name: session.app_name().to_owned(),
                locale,
                expires_at: session.expires_at(),
                minutes: minutes(session.expires_at().since(self.clock.now())),
                autofill: session.autofill().clone(),
                never_share,
                wording,
                rehearsal: rehearsal(session, &challenge.recipient),
            });
            match message.map(|message| self.router.prepare(message)) {
                Some(Ok(message)) => prepared.push(message),
                Some(Err(_)) | None => unsaid.push((id, channel, Attempt::Failed(FailureReason::ProviderUnavailable))),
            }
        }
        (prepared, unsaid)
    }

    /// Writes outcomes down. While the store is away the answer is given from what is known, and the outcomes are offered again.
    async fn record(
        self: &Arc<Self>,
        session: Session,
        outcomes: Outcomes,
        claim: Option<Claim>,
        channels: &[Channel],
    ) -> Result<(Session, Delivery), Refusal> {
        let step = Record {
            scope: session.scope(),
            session: session.id(),
            step: self.step_id(session.scope().tenant),
            outcomes,
            claim,
            channels: channels.to_vec(),
        };
        match self.store.record(step.clone()).await {
            Ok(RecordVerdict::Recorded(session, delivery)) => {
                self.keep_names(session.scope(), session.id(), &step.outcomes);
                for challenge in session.challenges().iter().filter(|challenge| is_of(&step.outcomes, challenge.message.id)) {
                    self.metrics.messages.stage(&session, challenge, Stage::Accepted);
                }
                Ok((*session, delivery))
            }
            // A store that came back without its last writes has forgotten the session, though its codes went out.
            Ok(RecordVerdict::Unknown) => {
                let lost = "the session was lost while its messages were handed over";
                Err(Refusal::Unavailable(StoreError::Unavailable(lost.to_owned())))
            }
            Err(failure) => {
                warn!(session = %session.id(), %failure, "outcomes could not be recorded; trying on");
                let assumed = session.assuming(&step.outcomes, self.clock.now());
                self.tasks.spawn(Arc::clone(self).record_later(step));
                Ok(assumed)
            }
        }
    }

    /// Offers outcomes to a store that is away, until the lease ends: from then on the store itself calls them unclear.
    async fn record_later(self: Arc<Self>, step: Record) {
        let mut pause = FIRST_PAUSE;
        let give_up = tokio::time::Instant::now() + self.settings.lease;
        while tokio::time::Instant::now() < give_up {
            tokio::time::sleep(pause).await;
            if self.store.record(step.clone()).await.is_ok() {
                self.keep_names(step.scope, step.session, &step.outcomes);
                return;
            }
            pause = pause.saturating_mul(2);
        }
        error!(session = %step.session, "outcomes were never recorded; the session will call them unclear");
    }
}

fn is_of(outcomes: &Outcomes, message: MessageId) -> bool {
    outcomes.iter().any(|(of, ..)| *of == message)
}
