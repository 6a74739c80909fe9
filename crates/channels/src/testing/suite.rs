//! What every provider must show, against a double that speaks its vendor's wire. [`provider_suite!`](crate::provider_suite) makes a test of each.

use std::sync::Arc;
use std::time::Duration;

use countersign_model::{Channel, MessageStatus, Receipt, ReceiptOf, Reference, Report};

use super::server::{Request, Server};
use super::{LogTrap, NOW, Unused, outgoing, rendered};
use crate::config::ConfigError;
use crate::provider::{Provider, Rendered, Tells, TryOutcome};
use crate::receipts::{Callback, CallbackRefusal, Reading};
use crate::registry::ProviderContext;

/// A part of every secret in a subject's section, so that a leak is seen.
pub(crate) const HUSH: &str = "hush";

/// Where the house is said to be, for callbacks.
pub(crate) const PUBLIC_URL: &str = "https://otp.example.com";

/// Whoever answers in a vendor's place.
pub(crate) trait Double {
    /// What goes for `{url}` in a section: an address without a slash at its end.
    fn url(&self) -> String;
    /// What it was asked so far.
    fn requests(&self) -> Vec<Request>;
}

impl Double for Server {
    fn url(&self) -> String {
        Self::url(self, "")
    }

    fn requests(&self) -> Vec<Request> {
        Self::requests(self)
    }
}

/// How the double behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Takes a message of this channel.
    Accepts(Channel),
    /// Refuses the recipient for good, in one of several ways.
    Refuses(usize),
    /// Asks to slow down.
    Throttles(usize),
    /// Does not take the credentials or the set-up.
    RefusesUs(usize),
    /// Does not take it, and what it says is not known to be final.
    Fails(usize),
    /// Hears everything and breaks the line off.
    Cuts,
}

/// What a receipt tells, whatever the vendor's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is on its way.
    Underway,
    Delivered,
    Failed,
    /// A status that no page names.
    Unheard,
}

/// A provider as the suite sees it.
pub(crate) trait Subject {
    type Double: Double;

    /// What it serves.
    const CHANNELS: &'static [Channel];
    /// How many ways there are of each kind: [`Behaviour::Refuses`], `Throttles`, `RefusesUs`, `Fails`.
    const WAYS: [usize; 4];

    /// Its section of the configuration, with `url` for its vendor's address. Every secret in it holds [`HUSH`].
    fn section(url: &str) -> String;

    /// Reads a section and builds it; and what it shows of itself (Debug and serialised).
    fn build(section: &str, context: ProviderContext) -> (Result<Arc<dyn Provider>, ConfigError>, String);

    /// A double that behaves so.
    fn start(behaviour: Behaviour) -> impl Future<Output = Self::Double>;

    /// The id that the double gives to an accepted message; none: it gives none.
    fn accepted_id(channel: Channel, message: &Rendered) -> Option<String>;

    /// Holds what the double was asked to the vendor's page: credentials, address, headers, body, encoding. Panics.
    fn check(request: &Request, message: &Rendered);

    /// A genuine callback of this vendor about a message on `channel`, posted to `url`; none: it posts no receipts.
    fn callback(told: Told, channel: Channel, reference: Reference, url: &str) -> Option<Callback>;

    /// The same callback with each thing that it vouches for altered in turn, and without its signature.
    fn forgeries(genuine: &Callback) -> Vec<Callback>;
}

/// Makes the tests of a [`Subject`].
#[macro_export]
macro_rules! provider_suite {
    ($subject:ty) => {
        mod suite {
            use super::*;
            use $crate::testing::suite;

            #[tokio::test]
            async fn a_message_is_handed_over_in_the_vendors_own_form_and_its_id_is_kept() {
                suite::accepts::<$subject>().await;
            }

            #[tokio::test]
            async fn a_final_no_is_a_refusal() {
                suite::refuses::<$subject>().await;
            }

            #[tokio::test]
            async fn a_request_to_slow_down_is_told_as_one() {
                suite::throttles::<$subject>().await;
            }

            #[tokio::test]
            async fn wrong_credentials_and_set_up_are_the_operators_to_mend() {
                suite::refuses_us::<$subject>().await;
            }

            #[tokio::test]
            async fn any_other_no_lets_the_next_provider_try() {
                suite::fails::<$subject>().await;
            }

            #[tokio::test]
            async fn time_that_runs_out_before_bytes_left_is_unreachable() {
                suite::unreachable::<$subject>().await;
            }

            #[tokio::test]
            async fn time_that_runs_out_after_bytes_left_is_unclear() {
                suite::unclear::<$subject>().await;
            }

            #[tokio::test]
            async fn receipts_are_read_in_the_vendors_own_form() {
                suite::receipts::<$subject>().await;
            }

            #[tokio::test]
            async fn receipts_may_come_late_twice_and_out_of_order() {
                suite::order::<$subject>().await;
            }

            #[tokio::test]
            async fn a_forged_receipt_is_not_listened_to() {
                suite::forged::<$subject>().await;
            }

            #[tokio::test]
            async fn no_log_line_and_no_shown_section_holds_a_code_a_recipient_or_a_secret() {
                suite::keeps_secrets::<$subject>().await;
            }
        }
    };
}

fn context() -> ProviderContext {
    let mut context = super::context("subject", Duration::from_secs(60));
    context.receipts_url = Some(receipts_url());
    context
}

/// Where the subject's callbacks go.
pub(crate) fn receipts_url() -> String {
    format!("{PUBLIC_URL}/receipts/kind/subject")
}

fn build<S: Subject>(url: &str) -> Arc<dyn Provider> {
    let (built, _) = S::build(&S::section(url), context());
    built.unwrap_or_else(|error| panic!("{error}"))
}

async fn sent<S: Subject>(behaviour: Behaviour) -> TryOutcome {
    let double = S::start(behaviour).await;
    let outcome = build::<S>(&double.url()).send(&rendered(outgoing(S::CHANNELS[0]))).await;
    assert_eq!(double.requests().len(), 1, "one try is one request");
    outcome
}

pub(crate) async fn accepts<S: Subject>() {
    for channel in S::CHANNELS {
        let double = S::start(Behaviour::Accepts(*channel)).await;
        let provider = build::<S>(&double.url());
        assert!(provider.serves(*channel) && !provider.is_instant());
        let message = rendered(outgoing(*channel));
        let expected = TryOutcome::Accepted { provider_id: S::accepted_id(*channel, &message) };
        assert_eq!(provider.send(&message).await, expected, "{channel}");
        let requests = double.requests();
        assert_eq!(requests.len(), 1, "{channel}: one try is one request");
        S::check(&requests[0], &message);
    }
}

async fn ends<S: Subject>(ways: usize, behaviour: impl Fn(usize) -> Behaviour, label: &str) {
    for way in 0..ways {
        let outcome = sent::<S>(behaviour(way)).await;
        assert_eq!(outcome.label(), label, "{:?}: {outcome:?}", behaviour(way));
    }
}

pub(crate) async fn refuses<S: Subject>() {
    assert!(S::WAYS[0] > 0, "a vendor has at least one final no");
    ends::<S>(S::WAYS[0], Behaviour::Refuses, "refused").await;
}

pub(crate) async fn throttles<S: Subject>() {
    assert!(S::WAYS[1] > 0);
    ends::<S>(S::WAYS[1], Behaviour::Throttles, "throttled").await;
}

pub(crate) async fn refuses_us<S: Subject>() {
    assert!(S::WAYS[2] > 0);
    ends::<S>(S::WAYS[2], Behaviour::RefusesUs, "misconfigured").await;
}

pub(crate) async fn fails<S: Subject>() {
    assert!(S::WAYS[3] > 0);
    ends::<S>(S::WAYS[3], Behaviour::Fails, "unknown").await;
}

pub(crate) async fn unreachable<S: Subject>() {
    let unused = Unused::hold();
    let provider = build::<S>(&format!("http://127.0.0.1:{}", unused.port()));
    assert_eq!(provider.send(&rendered(outgoing(S::CHANNELS[0]))).await.label(), "unreachable");
    assert!(provider.check().await.is_err());
}

pub(crate) async fn unclear<S: Subject>() {
    assert_eq!(sent::<S>(Behaviour::Cuts).await.label(), "unclear");
}

fn reference(channel: Channel) -> Reference {
    rendered(outgoing(channel)).reference()
}

/// How a receipt has to name its message.
fn named<S: Subject>(channel: Channel, provider: &dyn Provider) -> ReceiptOf {
    let message = rendered(outgoing(channel));
    match provider.tells() {
        Tells::ByReference => ReceiptOf::Reference(message.reference()),
        Tells::ById => ReceiptOf::ProviderId(S::accepted_id(channel, &message).unwrap_or_default()),
        Tells::Nothing => panic!("receipts come that nobody expects"),
    }
}

/// None: this vendor posts no receipts.
async fn read<S: Subject>(provider: &dyn Provider, told: Told, channel: Channel) -> Option<Vec<Receipt>> {
    let callback = S::callback(told, channel, reference(channel), &receipts_url())?;
    let reader = provider.receipts().unwrap_or_else(|| panic!("callbacks come, and nobody reads them"));
    match reader.read(&callback, NOW).await {
        Ok(Reading::Receipts(receipts)) => {
            for receipt in &receipts {
                assert_eq!(receipt.of, named::<S>(channel, provider), "{told:?} on {channel}");
            }
            Some(receipts)
        }
        other => panic!("{told:?} on {channel}: {other:?}"),
    }
}

pub(crate) async fn receipts<S: Subject>() {
    let provider = build::<S>("http://127.0.0.1:9");
    for channel in S::CHANNELS {
        let reports = async |told| {
            read::<S>(&*provider, told, *channel).await.map(|read| read.into_iter().map(|it| it.report).collect::<Vec<_>>())
        };
        let Some(delivered) = reports(Told::Delivered).await else {
            assert!(provider.receipts().is_none(), "{channel}: receipts are read that nobody posts");
            continue;
        };
        assert_eq!(delivered, [Report::Delivered], "{channel}");
        let failed = reports(Told::Failed).await.unwrap_or_default();
        assert!(matches!(failed[..], [Report::Undelivered(_)]), "{channel}: {failed:?}");
        for undecided in [Told::Underway, Told::Unheard] {
            let read = reports(undecided).await.unwrap_or_default();
            assert!(read.iter().all(|report| *report == Report::Underway), "{channel} {undecided:?}: {read:?}");
        }
    }
}

pub(crate) async fn order<S: Subject>() {
    use MessageStatus::{Delivered, Failed, Sent};
    let stories = [
        (vec![Told::Underway, Told::Delivered], Delivered),
        (vec![Told::Delivered, Told::Underway], Delivered),
        (vec![Told::Delivered, Told::Delivered], Delivered),
        (vec![Told::Delivered, Told::Failed], Delivered),
        (vec![Told::Failed, Told::Underway], Failed),
        (vec![Told::Failed, Told::Delivered], Delivered),
        (vec![Told::Unheard], Sent),
    ];
    let provider = build::<S>("http://127.0.0.1:9");
    if provider.receipts().is_none() {
        return;
    }
    for (story, end) in stories {
        let mut status = Sent;
        for told in &story {
            for receipt in read::<S>(&*provider, *told, S::CHANNELS[0]).await.unwrap_or_default() {
                status = status.after(receipt.report);
            }
        }
        assert_eq!(status, end, "{story:?}");
    }
}

pub(crate) async fn forged<S: Subject>() {
    let provider = build::<S>("http://127.0.0.1:9");
    for channel in S::CHANNELS {
        let Some(genuine) = S::callback(Told::Delivered, *channel, reference(*channel), &receipts_url()) else { continue };
        let reader = provider.receipts().unwrap_or_else(|| panic!("callbacks come, and nobody reads them"));
        let forgeries = S::forgeries(&genuine);
        assert!(!forgeries.is_empty());
        for (number, forged) in forgeries.iter().enumerate() {
            let read = reader.read(forged, NOW).await;
            assert_eq!(read, Err(CallbackRefusal::Forged), "{channel}: forgery {number}");
        }
    }
}

pub(crate) async fn keeps_secrets<S: Subject>() {
    let trap = LogTrap::set();
    let double = S::start(Behaviour::Fails(0)).await;
    let section = S::section(&double.url());
    assert!(section.contains(HUSH), "{section}");
    let (built, shown) = S::build(&section, context());
    let provider = built.unwrap_or_else(|error| panic!("{error}"));
    let message = rendered(outgoing(S::CHANNELS[0]));
    provider.send(&message).await;
    if let Some(callback) = S::callback(Told::Delivered, S::CHANNELS[0], message.reference(), &receipts_url())
        && let Some(reader) = provider.receipts()
    {
        reader.read(&callback, NOW).await.unwrap_or_else(|error| panic!("{error}"));
    }
    let log = trap.log();
    for secret in ["482913", "2025550143", "ann@example.com", HUSH] {
        assert!(!log.contains(secret), "{secret} in {log}");
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

/// Reads a TOML section into `Config` and builds it: what most subjects do in [`Subject::build`].
pub(crate) fn build_from<C>(
    section: &str,
    context: ProviderContext,
    build: impl Fn(&C, ProviderContext) -> Result<Arc<dyn Provider>, ConfigError>,
) -> (Result<Arc<dyn Provider>, ConfigError>, String)
where
    C: serde::de::DeserializeOwned + serde::Serialize + std::fmt::Debug,
{
    use figment::providers::Format as _;
    let config: C = figment::Figment::from(figment::providers::Toml::string(section)).extract().unwrap();
    let shown = format!("{config:?} {}", serde_json::to_string(&config).unwrap());
    (build(&config, context), shown)
}

/// The double of a vendor that answers over HTTP: `answer` says what, and cutting off is the same for all.
#[cfg(feature = "web")]
pub(crate) async fn over_http(behaviour: Behaviour, answer: impl Fn(Behaviour) -> super::server::Act) -> Server {
    use super::server::Act;

    let act = if behaviour == Behaviour::Cuts { Act::Cut } else { answer(behaviour) };
    Server::start(act).await
}
