//! The tables, as the records and a transaction offer them.

use crate::transaction::On;
use crate::{AdminTokens, ApiKeys, Audit, Contacts, Records, Senders, Services, Templates, Tenants, Transaction};

/// Names a table's handle once, for calls that are transactions of their own and for those that are part of one.
macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident: $table:ident;)*) => {
        impl Records {
            $($(#[$doc])* #[must_use] pub const fn $name(&self) -> $table<'_> { $table { on: On::Records(self) } })*
        }

        impl Transaction {
            $($(#[$doc])* pub const fn $name(&mut self) -> $table<'_> { $table { on: On::Transaction(self) } })*
        }
    };
}

tables! {
    /// The owners.
    tenants: Tenants;
    /// What lets callers in.
    api_keys: ApiKeys;
    /// Named profiles of the tenants.
    services: Services;
    /// The tenants' own words for messages.
    templates: Templates;
    /// What messages come from.
    senders: Senders;
    /// The people tenants keep.
    contacts: Contacts;
    /// What lets operators in.
    admin_tokens: AdminTokens;
    /// Who changed what.
    audit: Audit;
}
