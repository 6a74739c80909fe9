use countersign_core::BillingSettings;
use countersign_model::{Money, PriceList};
use serde::{Deserialize, Serialize};

use super::Problem;

/// `[billing]`: whether tenants pay for what they send, out of a balance that is filled beforehand. Off by default.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Billing {
    /// Whether they pay.
    pub enabled: bool,
    /// ISO 4217 code, or the name of a credit.
    pub currency: String,
    /// Below this a tenant that has no mark of its own hears of a low balance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low_balance: Option<Money>,
    /// What a tenant pays that has no prices of its own.
    pub prices: PriceList,
}

impl Default for Billing {
    fn default() -> Self {
        Self { enabled: false, currency: "USD".to_owned(), low_balance: None, prices: PriceList::default() }
    }
}

impl Billing {
    /// None: nobody is billed.
    pub(super) fn settings(&self) -> Option<BillingSettings> {
        self.enabled.then(|| BillingSettings {
            currency: self.currency.clone(),
            prices: self.prices.clone(),
            low_balance: self.low_balance,
        })
    }

    pub(super) fn problems(&self, found: &mut Vec<Problem>) {
        let is_name = (1..=16).contains(&self.currency.len()) && self.currency.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_name {
            found.push(Problem::new("billing.currency", "must be 1 to 16 capitals, such as USD or CREDIT"));
        }
        if self.low_balance.is_some_and(|mark| mark < Money::ZERO) {
            found.push(Problem::new("billing.low_balance", "must not be negative"));
        }
        found.extend(
            self.prices.check().into_iter().map(|flaw| Problem::new(format!("billing.prices.{}", flaw.field), flaw.must)),
        );
    }
}
