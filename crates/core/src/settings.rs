//! What an operator decides, as the verbs need it.

use std::time::Duration;

use countersign_model::{Limit, Money, PriceList, Service, ServiceId};
use countersign_session::BudgetRule;

/// The settings of an installation.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address under which the world knows this installation, without a slash at its end: issuer of tokens and proofs.
    pub public_url: String,
    /// The profile of calls that name none.
    pub default_service: Service,
    /// The profiles that calls may name; each has an id.
    pub services: Vec<Service>,
    /// How much is let through.
    pub limits: LimitSettings,
    /// How long handing a message over may take: longer than the router's own deadline, so that an outcome is not called unclear too soon.
    pub lease: Duration,
    /// What sends cost; none: nobody is billed.
    pub billing: Option<BillingSettings>,
    /// How long the records keep sessions and messages; none: for ever.
    pub history_kept: Option<Duration>,
    /// How long a send that names no language waits to be told by the records what its contact reads; zero: nobody asks.
    pub contact_locale_wait: Duration,
    /// How long a list over all time waits for the records to know what happened before it was asked for.
    pub history_wait: Duration,
}

impl Settings {
    /// The usual [`Settings::history_wait`]: a projector that works is much quicker.
    pub const HISTORY_WAIT: Duration = Duration::from_secs(1);
}

/// Prices of an installation that bills its tenants.
#[derive(Debug, Clone)]
pub struct BillingSettings {
    /// ISO 4217 code, or the name of a credit: shown beside amounts.
    pub currency: String,
    /// What a tenant pays that has no prices of its own.
    pub prices: PriceList,
    /// Below this a tenant that has no mark of its own hears of a low balance.
    pub low_balance: Option<Money>,
}

/// The limits of an installation. None has a window longer than a day.
#[derive(Debug, Clone, Copy)]
pub struct LimitSettings {
    /// Calls of one API key.
    pub calls_per_key: Limit,
    /// Failed authentications of one peer address.
    pub failed_authentication: Limit,
    /// Sends to one user.
    pub sends_per_user: Limit,
    /// Open sessions of one user.
    pub active_per_user: u32,
    /// Sends asked for by one end-user address.
    pub sends_per_ip: Limit,
    /// Sends to one recipient, in the dialects that count by recipients.
    pub sends_per_recipient: Limit,
    /// A tenant's checks of codes that say nobody and open nothing.
    pub code_misses: Limit,
    /// Wrong guesses at one recipient.
    pub budget: BudgetRule,
}

impl Default for LimitSettings {
    /// Those of the dialects.
    fn default() -> Self {
        let limit = |max, seconds| Limit { max, window: Duration::from_secs(seconds) };
        Self {
            calls_per_key: limit(1000, 60),
            failed_authentication: limit(30, 60),
            sends_per_user: limit(5, 300),
            active_per_user: 100,
            sends_per_ip: limit(20, 3600),
            sends_per_recipient: limit(10, 60),
            code_misses: limit(100, 60),
            budget: BudgetRule { wrong: limit(20, 86_400), block_after: 100 },
        }
    }
}

impl Settings {
    /// The profile that a call names; none when there is no such profile.
    #[must_use]
    pub fn service(&self, named: Option<ServiceId>) -> Option<&Service> {
        match named {
            None => Some(&self.default_service),
            Some(_) => self.services.iter().find(|service| service.id == named),
        }
    }
}
