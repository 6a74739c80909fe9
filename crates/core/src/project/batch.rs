//! A batch of entries in one transaction: read what they are about, work out in memory what they tell, write it.

use std::collections::{BTreeMap, BTreeSet};

use countersign_model::{
    Aggregate, ContactFields, ContactId, EventKind, LogEntry, Money, Recipient, Rng, SessionId, TenantId, WebhookEndpoint,
    WebhookEvent, WebhookFormat,
};
use countersign_records::{CutFound, CutVerdict, NewCapture, NewContact, RecordsError, Transaction, Upserted};

use super::fault::Fault;
use super::story::Story;
use super::tell::{DueContact, Effects, LowBalance};
use crate::announce::{News, Told, contact_created, deliveries, formats};
use crate::bodies;
use crate::contacts::blank;

/// What a batch is worked out with.
pub(super) struct Cx<'a> {
    pub(super) rng: &'a dyn Rng,
    pub(super) currency: &'a str,
}

/// What a batch came to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) taken: usize,
    pub(super) known: usize,
    /// By sequence.
    pub(super) set_aside: Vec<(u64, Fault)>,
    pub(super) differences: Vec<Difference>,
}

/// A balance that is not what the ledger says, and was not known to be.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) tenant: TenantId,
    pub(super) expected: Money,
    pub(super) found: Money,
}

/// What touches the ledger, in the order of the log.
enum Booking {
    Captures(Vec<NewCapture>),
    Cut(CutFound),
}

/// What the entries told so far cause.
#[derive(Default)]
struct Caused {
    bookings: Vec<Booking>,
    news: Vec<News>,
    contacts: Vec<DueContact>,
    low: Vec<LowBalance>,
}

/// Takes entries in. Those that cannot be are told of and change nothing; an error says that none could, and the transaction is lost.
pub(super) async fn take_in(whole: &mut Transaction, entries: &[LogEntry], cx: &Cx<'_>) -> Result<Tally, RecordsError> {
    let mut stories = load(whole, entries).await?;
    let tenants: BTreeSet<_> = entries.iter().map(|entry| entry.scope.tenant).collect();
    let endpoints = whole.webhook_endpoints().of_tenants(&tenants).await?;
    let (mut tally, mut caused) = (Tally::default(), Caused::default());
    for entry in entries {
        match entry.of {
            Aggregate::Session(session) => {
                let story = stories.entry(session).or_default();
                let mut next = story.clone();
                let tenant = entry.scope.tenant;
                let wants = |event| formats(&endpoints, tenant, event);
                match next.hear(entry, session, wants, cx.rng, cx.currency) {
                    Ok(effects) if effects.is_new => {
                        *story = next;
                        tally.taken += 1;
                        caused.add(effects);
                    }
                    Ok(_) => tally.known += 1,
                    Err(fault) => tally.set_aside.push((entry.sequence, fault)),
                }
            }
            Aggregate::Account(tenant) => {
                caused.bookings.extend(cuts(entry, tenant).map(Booking::Cut));
                tally.taken += 1;
            }
        }
    }
    save(whole, stories).await?;
    book(whole, caused.bookings, &mut tally).await?;
    let mut news = caused.news;
    for due in caused.contacts {
        news.extend(keep(whole, due, cx.rng).await?);
    }
    for low in caused.low {
        news.extend(balance_low(whole, low, &endpoints, cx).await?);
    }
    let due: Vec<_> = news.into_iter().flat_map(|news| deliveries(news, &endpoints, cx.rng)).collect();
    whole.webhook_deliveries().insert(&due).await?;
    Ok(tally)
}

impl Caused {
    fn add(&mut self, effects: Effects) {
        if !effects.captures.is_empty() {
            match self.bookings.last_mut() {
                Some(Booking::Captures(captures)) => captures.extend(effects.captures),
                Some(Booking::Cut(_)) | None => self.bookings.push(Booking::Captures(effects.captures)),
            }
        }
        self.news.extend(effects.news);
        self.contacts.extend(effects.contacts);
        self.low.extend(effects.low);
    }
}

/// What the records hold of the sessions that the entries are about.
async fn load(whole: &mut Transaction, entries: &[LogEntry]) -> Result<BTreeMap<SessionId, Story>, RecordsError> {
    let ids: BTreeSet<_> = entries
        .iter()
        .filter_map(|entry| match entry.of {
            Aggregate::Session(id) => Some(id),
            Aggregate::Account(_) => None,
        })
        .collect();
    let sessions = whole.sessions().load(&ids.into_iter().collect::<Vec<_>>()).await?;
    let messages: Vec<_> =
        sessions.iter().flat_map(|session| &session.channels).flat_map(|channel| &channel.messages).copied().collect();
    let mut stories: BTreeMap<_, _> = sessions.into_iter().map(|session| (session.id, Story::new(session))).collect();
    for message in whole.messages().load(&messages).await? {
        if let Some(story) = stories.get_mut(&message.session) {
            story.remember(message);
        }
    }
    Ok(stories)
}

async fn save(whole: &mut Transaction, stories: BTreeMap<SessionId, Story>) -> Result<(), RecordsError> {
    let sessions: Vec<_> = stories.values().filter_map(Story::change).collect();
    let messages: Vec<_> = stories.into_values().flat_map(Story::changes).collect();
    whole.sessions().save(&sessions).await?;
    whole.messages().save(&messages).await
}

/// A cut is compared with what was captured before it, and with nothing that was captured later.
async fn book(whole: &mut Transaction, bookings: Vec<Booking>, tally: &mut Tally) -> Result<(), RecordsError> {
    for booking in bookings {
        match booking {
            Booking::Captures(captures) => whole.ledger().capture(&captures).await?,
            Booking::Cut(cut) => {
                if let CutVerdict::Unequal { expected, is_new: true } = whole.wallet_differences().compare(cut).await? {
                    tally.differences.push(Difference { tenant: cut.tenant, expected, found: cut.balance });
                }
            }
        }
    }
    Ok(())
}

fn cuts(entry: &LogEntry, tenant: TenantId) -> impl Iterator<Item = CutFound> {
    entry.events.iter().filter_map(move |event| match event.kind {
        EventKind::BalanceCut { balance, credits, .. } => Some(CutFound { tenant, balance, credits, at: entry.at }),
        _ => None,
    })
}

/// Keeps a person whose address was proved. One that is known gets the proof, and keeps everything else as it is.
async fn keep(whole: &mut Transaction, due: DueContact, rng: &dyn Rng) -> Result<Option<News>, RecordsError> {
    let DueContact { tenant, channel, recipient, locale, is_proved, at } = due;
    let address = recipient.address().to_owned();
    let (email, phone) = match recipient {
        Recipient::Email(_) => (Some(address), None),
        Recipient::Phone(_) => (None, Some(address)),
    };
    let fields = ContactFields { email, phone, locale, ..blank() };
    let new = NewContact { id: ContactId::mint(at, rng, tenant.partition()), fields, verified: is_proved.then_some(channel) };
    let kept = whole.contacts().upsert_many(tenant, &[new], at, |_, known| known).await?;
    Ok(kept.into_iter().find_map(|kept| match kept {
        Upserted::Created(contact) => Some(contact_created(&contact)),
        Upserted::Updated(_) | Upserted::Taken => None,
    }))
}

async fn balance_low(
    whole: &mut Transaction,
    low: LowBalance,
    endpoints: &[WebhookEndpoint],
    cx: &Cx<'_>,
) -> Result<Option<News>, RecordsError> {
    let LowBalance { tenant: id, event_id, available, at } = low;
    if formats(endpoints, id, WebhookEvent::WalletLow).is_empty() {
        return Ok(None);
    }
    let Some(tenant) = whole.tenants().find(id).await? else { return Ok(None) };
    let data = bodies::account(&tenant, available, cx.currency);
    let told = Told::from([(WebhookFormat::Native, data)]);
    Ok(Some(News { tenant: id, event_id, keys: None, event: WebhookEvent::WalletLow, at, told }))
}
