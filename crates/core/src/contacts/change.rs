//! What a caller says of a contact, laid over what is known of it.

use std::collections::BTreeMap;

use countersign_model::{Channel, ContactFields, EmailAddress, PhoneNumber};

/// What is said of one field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum FieldChange<T> {
    /// Nothing: it stays.
    #[default]
    Keep,
    /// It goes.
    Clear,
    /// It is this.
    Set(T),
}

impl<T> FieldChange<T> {
    fn map<U>(&self, into: impl FnOnce(&T) -> U) -> FieldChange<U> {
        match self {
            Self::Keep => FieldChange::Keep,
            Self::Clear => FieldChange::Clear,
            Self::Set(value) => FieldChange::Set(into(value)),
        }
    }
}

impl<T: Clone> FieldChange<T> {
    fn over(&self, before: Option<T>) -> Option<T> {
        match self {
            Self::Keep => before,
            Self::Clear => None,
            Self::Set(value) => Some(value.clone()),
        }
    }

    fn over_or(&self, before: T, cleared: T) -> T {
        match self {
            Self::Keep => before,
            Self::Clear => cleared,
            Self::Set(value) => value.clone(),
        }
    }
}

/// What a caller says of a contact. Built by a dialect, which has looked at the form of every field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactChange {
    /// The tenant's own name for it.
    pub external_id: FieldChange<String>,
    /// Its mailbox.
    pub email: FieldChange<EmailAddress>,
    /// Its phone.
    pub phone: FieldChange<PhoneNumber>,
    /// Given name.
    pub first_name: FieldChange<String>,
    /// Family name.
    pub last_name: FieldChange<String>,
    /// The language in which it is written to, a BCP 47 tag.
    pub locale: FieldChange<String>,
    /// Labels, as a whole.
    pub tags: FieldChange<Vec<String>>,
    /// The tenant's JSON object as text, as a whole.
    pub custom_fields: FieldChange<String>,
    /// The tenant's JSON object as text, as a whole.
    pub metadata: FieldChange<String>,
    /// May it be written to, by channel; as a whole.
    pub preferences: FieldChange<BTreeMap<Channel, bool>>,
    /// Whether the tenant still counts it among its contacts. Gone: it does.
    pub is_active: FieldChange<bool>,
}

impl ContactChange {
    /// It is to be written to on no channel.
    pub(super) fn unsubscribed() -> Self {
        let preferences = Channel::ALL.into_iter().map(|channel| (channel, false)).collect();
        Self { preferences: FieldChange::Set(preferences), ..Self::default() }
    }

    /// Whether the contact has a language then, though it may have had none.
    pub(super) const fn sets_locale(&self) -> bool {
        matches!(self.locale, FieldChange::Set(_))
    }

    /// The fields as they are then.
    pub(super) fn over(&self, fields: ContactFields) -> ContactFields {
        ContactFields {
            external_id: self.external_id.over(fields.external_id),
            email: self.email.map(|email| email.as_str().to_owned()).over(fields.email),
            phone: self.phone.map(|phone| phone.as_str().to_owned()).over(fields.phone),
            first_name: self.first_name.over(fields.first_name),
            last_name: self.last_name.over(fields.last_name),
            locale: self.locale.over(fields.locale),
            tags: self.tags.over_or(fields.tags, Vec::new()),
            custom_fields: self.custom_fields.over_or(fields.custom_fields, no_members()),
            metadata: self.metadata.over_or(fields.metadata, no_members()),
            preferences: self.preferences.over_or(fields.preferences, BTreeMap::new()),
            is_active: self.is_active.over_or(fields.is_active, true),
        }
    }
}

/// A contact of which nothing has been said.
pub(crate) fn blank() -> ContactFields {
    ContactFields {
        external_id: None,
        email: None,
        phone: None,
        first_name: None,
        last_name: None,
        locale: None,
        tags: Vec::new(),
        custom_fields: no_members(),
        metadata: no_members(),
        preferences: BTreeMap::new(),
        is_active: true,
    }
}

fn no_members() -> String {
    "{}".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> ContactFields {
        ContactFields {
            external_id: Some("crm-7".to_owned()),
            email: Some("ann@example.com".to_owned()),
            first_name: Some("Ann".to_owned()),
            locale: Some("es".to_owned()),
            tags: vec!["vip".to_owned()],
            custom_fields: "{\"a\":1}".to_owned(),
            is_active: false,
            ..blank()
        }
    }

    #[test]
    fn what_is_not_said_stays() {
        assert_eq!(ContactChange::default().over(known()), known());
    }

    #[test]
    fn what_is_said_is_so_afterwards_and_the_rest_stays() {
        let change = ContactChange {
            email: FieldChange::Set(EmailAddress::parse("ben@example.com").unwrap()),
            phone: FieldChange::Set(PhoneNumber::parse("+12025550143").unwrap()),
            locale: FieldChange::Set("pt-BR".to_owned()),
            tags: FieldChange::Set(Vec::new()),
            ..ContactChange::default()
        };
        let expected = ContactFields {
            email: Some("ben@example.com".to_owned()),
            phone: Some("+12025550143".to_owned()),
            locale: Some("pt-BR".to_owned()),
            tags: Vec::new(),
            ..known()
        };
        assert_eq!(change.over(known()), expected);
    }

    #[test]
    fn what_goes_is_as_if_it_had_never_been_said() {
        let change = ContactChange {
            external_id: FieldChange::Clear,
            email: FieldChange::Clear,
            first_name: FieldChange::Clear,
            locale: FieldChange::Clear,
            tags: FieldChange::Clear,
            custom_fields: FieldChange::Clear,
            is_active: FieldChange::Clear,
            ..ContactChange::default()
        };
        assert_eq!(change.over(known()), blank());
    }

    #[test]
    fn who_unsubscribes_does_so_on_every_channel() {
        let fields = ContactChange::unsubscribed().over(known());
        assert_eq!(fields.preferences.len(), 4);
        assert!(fields.preferences.values().all(|allowed| !allowed));
        assert_eq!(ContactFields { preferences: BTreeMap::new(), ..fields }, known());
    }
}
