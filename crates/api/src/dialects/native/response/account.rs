//! The reply to `GET /account`.

use countersign_core::{Account, amount_json};
use countersign_model::TenantId;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Shown;

/// What is left where nobody is billed: clients look whether there is enough before they send.
const UNBILLED: u64 = 1_000_000;

/// Who you are, and what you can still spend.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccountReply<'a> {
    #[schema(value_type = String, examples("ten_01J9ZQ3V8MTRX4N6D5B7C9E0FG"))]
    id: Shown<TenantId>,
    email: Option<&'a str>,
    #[schema(examples("standard"))]
    plan: &'a str,
    /// What sends can still be paid from, in `currency`. Always 1000000 on an installation that bills nobody.
    #[schema(value_type = f64, examples(12.5))]
    credits_remaining: Value,
    #[schema(examples("USD"))]
    currency: &'a str,
}

/// Prints the reply.
pub(crate) fn body(account: &Account, currency: &str) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&AccountReply {
        id: Shown(account.tenant.id),
        email: account.tenant.email.as_deref(),
        plan: &account.tenant.plan,
        credits_remaining: account.available.map_or_else(|| UNBILLED.into(), amount_json),
        currency,
    })
}

#[cfg(test)]
mod tests {
    use countersign_model::{Tenant, TenantSettings, Timestamp};
    use serde_json::json;

    use super::super::testing::read;
    use super::*;

    fn account(available: Option<&str>) -> Account {
        let tenant = Tenant {
            id: TenantId::from_bits(0),
            name: "acme".to_owned(),
            email: Some("ops@example.com".to_owned()),
            plan: "standard".to_owned(),
            settings: TenantSettings::default(),
            revision: 1,
            created_at: Timestamp::from_millis(0),
        };
        Account { tenant, available: available.map(|amount| amount.parse().unwrap()) }
    }

    #[test]
    fn what_is_left_is_a_number_whether_anybody_is_billed_or_not() {
        let expected = json!({
            "id": "ten_00000000000000000000000000", "email": "ops@example.com", "plan": "standard", "credits_remaining": 12.5,
            "currency": "EUR",
        });
        assert_eq!(read(body(&account(Some("12.50")), "EUR")), expected);
        assert_eq!(read(body(&account(None), "USD"))["credits_remaining"], 1_000_000);
    }
}
