//! Hands text messages to a carrier's message centre over SMPP 3.4 or 5.0.
//!
//! A bind is kept and shared by all messages. `keep_up` holds it open and takes receipts in; where nobody runs that, a message binds for itself
//! and receipts are declined, so that the centre keeps them for whoever does.

mod address;
mod config;
mod lane;
mod line;
mod receipt;
mod status;
mod text;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use countersign_model::{Attempt, Channel, Clock, ProviderName};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

pub(crate) use self::config::Config;
use self::config::{Bind, Settings};
use self::lane::{Failure, Lane, Role};
use self::line::Answer;
use self::receipt::Desk;
use crate::config::ConfigError;
use crate::ids::sound_id;
use crate::provider::{CheckError, Diagnostic, Provider, Rendered, Tells, TryOutcome};
use crate::receipts::Receipts;
use crate::registry::ProviderContext;

pub(crate) fn build(config: &Config, context: ProviderContext) -> Result<Arc<dyn Provider>, ConfigError> {
    let settings = Arc::new(config.settle(&context.key)?);
    let desk = Desk::new(context.name.clone(), context.pushed.clone(), settings.receipt_id);
    let lane = |role| Lane::new(role, Arc::clone(&settings), context.patience / 2, desk.clone());
    let (out, back) = match settings.bind {
        Bind::Transceiver => (lane(Role::Transceiver), None),
        Bind::Pair => (lane(Role::Transmitter), Some(lane(Role::Receiver))),
    };
    let mut first = [0];
    context.rng.fill(&mut first);
    let reference = AtomicU8::new(first[0]);
    Ok(Arc::new(Smpp {
        name: context.name,
        settings,
        patience: context.patience,
        clock: context.clock,
        reference,
        out,
        back,
        desk,
    }))
}

struct Smpp {
    name: ProviderName,
    settings: Arc<Settings>,
    patience: Duration,
    clock: Arc<dyn Clock>,
    /// Joins the parts of one message. Starts anywhere, so that a restart does not mix up two messages to one phone.
    reference: AtomicU8,
    /// Where messages go out.
    out: Lane,
    /// Where receipts come in; none: on the same bind.
    back: Option<Lane>,
    desk: Desk,
}

#[async_trait]
impl Provider for Smpp {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn serves(&self, channel: Channel) -> bool {
        channel == Channel::Sms
    }

    fn is_instant(&self) -> bool {
        false
    }

    async fn send(&self, message: &Rendered) -> TryOutcome {
        let frames = match self.frames(message) {
            Ok(frames) => frames,
            Err(outcome) => return outcome,
        };
        let mut answers = Vec::with_capacity(frames.len());
        for frame in frames {
            match self.submit(frame).await {
                Ok(answer) => answers.push(answer),
                Err(outcome) if answers.is_empty() => return outcome,
                Err(_) => return in_part(),
            }
        }
        let mut outcomes = Vec::with_capacity(answers.len());
        for answer in answers {
            outcomes.push(self.outcome(answer.await));
        }
        whole(outcomes)
    }

    /// Asks over the bind that stands; without one it binds, and takes its leave.
    async fn check(&self) -> Result<(), CheckError> {
        self.out.check().await?;
        match &self.back {
            Some(back) => back.check().await,
            None => Ok(()),
        }
    }

    fn receipts(&self) -> Option<&dyn Receipts> {
        None
    }

    fn tells(&self) -> Tells {
        Tells::ById
    }

    async fn keep_up(&self) {
        let _open = self.desk.open();
        match &self.back {
            Some(back) => {
                tokio::join!(self.out.keep_up(&self.name), back.keep_up(&self.name));
            }
            None => self.out.keep_up(&self.name).await,
        }
    }
}

/// Makes a whole PDU once its sequence number is known.
type Frame = Box<dyn FnOnce(u32) -> Vec<u8> + Send>;

impl Smpp {
    /// One for each part. Each asks for a receipt: the message has arrived when all of them have.
    fn frames(&self, message: &Rendered) -> Result<Vec<Frame>, TryOutcome> {
        let settings = &self.settings;
        let source = message.sender.as_deref().map_or_else(|| Some(settings.from.clone()), address::guess);
        let Some(source) = source else {
            return Err(TryOutcome::Misconfigured(Diagnostic::Note("the sender does not fit into SMPP")));
        };
        let target = message.recipient.address().trim_start_matches('+');
        let Some(target) = address::of(target, settings.to_ton, settings.to_npi) else {
            return Err(TryOutcome::Unknown(Diagnostic::Note("the number does not fit into SMPP")));
        };
        let reference = self.reference.fetch_add(1, Ordering::Relaxed);
        let Some(parts) = text::cut(message.text(), &settings.manner, reference) else {
            return Err(TryOutcome::Unknown(Diagnostic::Note("the text is too long for SMPP")));
        };
        let left = message.seconds_left(self.clock.now(), wire::VALIDITY).filter(|_| settings.validity);
        let validity = left.and_then(wire::validity);
        let frame = |part| -> Frame {
            let (source, target, validity) = (source.clone(), target.clone(), validity.clone());
            Box::new(move |sequence| wire::submit(wire::Submit { source, target, validity, part }, sequence))
        };
        Ok(parts.into_iter().map(frame).collect())
    }

    /// Brings one part to the line. A line may end between being found and being used: nothing has left then, and one more is tried.
    async fn submit(&self, frame: Frame) -> Result<oneshot::Receiver<Answer>, TryOutcome> {
        let end = Instant::now() + self.patience;
        for _ in 0..2 {
            let line = timeout_at(end, self.out.line()).await.unwrap_or(Err(Failure::Silent));
            let line = line.map_err(status::outcome_of_failure)?;
            match timeout_at(end, line.slot()).await {
                Ok(Some(slot)) => return Ok(slot.say(frame)),
                Ok(None) => {}
                Err(_) => return Err(TryOutcome::Throttled(Diagnostic::Note("the window stayed full"))),
            }
        }
        Err(TryOutcome::Unreachable(Diagnostic::Note("the bind ended")))
    }

    fn outcome(&self, answer: Result<Answer, oneshot::error::RecvError>) -> TryOutcome {
        match answer {
            Ok(Answer::Reply { status: 0, id: wire::SUBMIT_SM_RESP, body }) => {
                let provider_id = wire::message_id(&body).and_then(|id| sound_id(&self.settings.receipt_id.of_response(&id)));
                TryOutcome::Accepted { provider_id }
            }
            Ok(Answer::Reply { status, .. }) => status::outcome(status),
            Ok(Answer::Unsaid) => TryOutcome::Unreachable(Diagnostic::Note("the bind ended")),
            Err(_) => TryOutcome::Unclear(Diagnostic::Note("the bind ended before an answer")),
        }
    }
}

/// What the parts' fates add up to: a message that is out in part may show on the phone, and is nothing that can be called unsent.
fn whole(mut outcomes: Vec<TryOutcome>) -> TryOutcome {
    let accepted = outcomes.iter().filter(|outcome| matches!(outcome, TryOutcome::Accepted { .. })).count();
    let unclear = outcomes.iter().position(|outcome| matches!(outcome, TryOutcome::Unclear(_)));
    match (accepted, unclear) {
        (_, Some(position)) => outcomes.swap_remove(position),
        (0, None) => outcomes.swap_remove(0),
        (some, None) if some == outcomes.len() => TryOutcome::Accepted { provider_id: names(outcomes) },
        (_, None) => in_part(),
    }
}

/// What the centre calls a message that it took in these parts. None where it has no name for one of them: nobody could tell when all arrived.
fn names(parts: Vec<TryOutcome>) -> Option<String> {
    let name = |part| if let TryOutcome::Accepted { provider_id } = part { provider_id } else { None };
    parts.into_iter().map(name).collect::<Option<Vec<_>>>().map(Attempt::join_names)
}

fn in_part() -> TryOutcome {
    TryOutcome::Unclear(Diagnostic::Note("only some parts of the message were taken"))
}
