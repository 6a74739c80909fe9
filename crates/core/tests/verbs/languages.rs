//! In which language a contact is spoken to.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_core::{Asked, ContactChange, ContactName, FieldChange, Handle, Resend, Send, Sent};
use countersign_model::{
    Channel, Contact, ContactFields, ContactId, Dialect, EmailAddress, PhoneNumber, Recipient, SeededRng, Tenant, TenantId,
};

use crate::house::{self, House, SMS, START};

const ANN: &str = "+4915112345678";
const BEN: &str = "+4915112345679";

fn phone(number: &str) -> Recipient {
    Recipient::parse(SMS, number).unwrap()
}

fn email(address: &str) -> Recipient {
    Recipient::parse(Channel::Email, address).unwrap()
}

/// A contact with this number.
fn with_phone(number: &str, locale: FieldChange<String>) -> ContactChange {
    ContactChange { phone: FieldChange::Set(PhoneNumber::parse(number).unwrap()), locale, ..ContactChange::default() }
}

fn reads(tag: &str) -> FieldChange<String> {
    FieldChange::Set(tag.to_owned())
}

/// The same, put into the records by another process.
async fn written_elsewhere(house: &House, tenant: TenantId, number: &str, locale: &str) {
    let fields = ContactFields {
        external_id: None,
        email: None,
        phone: Some(number.to_owned()),
        first_name: None,
        last_name: None,
        locale: Some(locale.to_owned()),
        tags: Vec::new(),
        custom_fields: "{}".to_owned(),
        metadata: "{}".to_owned(),
        preferences: BTreeMap::new(),
        is_active: true,
    };
    let id = ContactId::mint(START, &SeededRng::new(70), tenant.partition());
    let contact = Contact { id, tenant, fields, verified_channels: Vec::new(), created_at: START, updated_at: START };
    house.records.contacts().insert(&contact).await.unwrap();
}

async fn send(house: &House, number: &str, with: impl FnOnce(&mut Send)) -> Sent {
    let mut send = Send::to(Dialect::Native, SMS, phone(number));
    // Whose sends are counted is not what is looked at.
    send.user_id = Some(format!("user-{}", house.gateway.told().len()));
    with(&mut send);
    house.platform.send(&house.live, send).await.unwrap()
}

/// The language of a send that names none.
async fn spoken_to(house: &House, number: &str) -> String {
    send(house, number, |_| {}).await.session.locale().to_owned()
}

async fn add(house: &House, change: &ContactChange) -> ContactName {
    ContactName::Id(house.platform.create_contact(&house.live, change, None).await.unwrap().value.id)
}

async fn change(house: &House, name: &ContactName, change: ContactChange) {
    house.platform.change_contact(&house.live, name, &change, None).await.unwrap();
}

fn said(house: &House) -> String {
    house.gateway.told().last().unwrap()["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_contacts_language_is_heard_after_the_calls_and_before_the_countrys() {
    let house = House::new().await;
    add(&house, &with_phone(ANN, reads("es-MX"))).await;
    assert_eq!(spoken_to(&house, ANN).await, "es-MX");
    assert!(said(&house).contains("clave"), "{}", said(&house));
    let asked = send(&house, ANN, |send| send.locale = Some("fr".to_owned())).await;
    assert_eq!(asked.session.locale(), "fr");
    assert!(said(&house).contains("est votre code"), "{}", said(&house));
    assert_eq!(spoken_to(&house, BEN).await, "de", "nobody says what he reads");
    assert!(said(&house).contains("ist Ihr Code"), "{}", said(&house));
}

#[tokio::test]
async fn every_dialect_speaks_a_contacts_language() {
    let house = House::new().await;
    add(&house, &with_phone(ANN, reads("es"))).await;
    for dialect in [Dialect::Native, Dialect::Kotp, Dialect::GetOtp, Dialect::Antryk] {
        let sent = send(&house, ANN, |send| send.dialect = dialect).await;
        assert_eq!(sent.session.locale(), "es", "{dialect:?}");
    }
}

#[tokio::test]
async fn in_a_language_without_words_the_country_is_heard_after_the_contact() {
    let house = House::new().await;
    add(&house, &with_phone(ANN, reads("tlh"))).await;
    assert_eq!(spoken_to(&house, ANN).await, "tlh");
    assert!(said(&house).contains("ist Ihr Code"), "{}", said(&house));
}

#[tokio::test]
async fn a_resend_speaks_the_language_of_the_send_whatever_has_become_of_the_contact() {
    let house = House::new().await;
    let ann = add(&house, &with_phone(ANN, reads("es"))).await;
    let sent = send(&house, ANN, |_| {}).await;
    house.platform.remove_contact(&house.live, &ann, None).await.unwrap();
    house.clock.advance(Duration::from_secs(30));
    let again = Resend { handle: Handle::Token(sent.token), channels: None, client_ip: None, idempotency: None };
    house.platform.resend(&house.live, again).await.unwrap();
    assert_eq!(house.gateway.told().len(), 2);
    assert!(said(&house).contains("clave"), "{}", said(&house));
}

#[tokio::test]
async fn the_first_of_those_who_are_asked_decides_of_whom_it_is_said_also_one_who_wants_no_news() {
    let house = House::new().await;
    let mailbox =
        ContactChange { email: FieldChange::Set(EmailAddress::parse("ann@example.com").unwrap()), ..ContactChange::default() };
    add(&house, &mailbox).await;
    let gone = ContactChange { is_active: FieldChange::Set(false), ..with_phone(ANN, reads("tr")) };
    let ann = add(&house, &gone).await;
    house.platform.unsubscribe_contact(&house.live, &ann, None).await.unwrap();
    let both = |send: &mut Send| {
        send.channels.insert(0, Asked { channel: Channel::Email, recipient: email("ANN@example.com") });
        send.sandbox = true;
    };
    assert_eq!(send(&house, ANN, both).await.session.locale(), "tr", "in the sandbox, too");
    let mailbox = ContactName::Email(EmailAddress::parse("ann@example.com").unwrap());
    change(&house, &mailbox, ContactChange { locale: reads("it"), ..ContactChange::default() }).await;
    assert_eq!(send(&house, ANN, both).await.session.locale(), "it");
}

#[tokio::test]
async fn what_is_written_here_is_heard_by_the_next_send() {
    let house = House::new().await;
    assert_eq!(spoken_to(&house, ANN).await, "de");
    let ann = add(&house, &with_phone(ANN, FieldChange::Keep)).await;
    assert_eq!(spoken_to(&house, ANN).await, "de");
    let locale = |locale| ContactChange { locale, ..ContactChange::default() };
    change(&house, &ann, locale(reads("es"))).await;
    assert_eq!(spoken_to(&house, ANN).await, "es");
    change(&house, &ann, locale(reads("pt"))).await;
    assert_eq!(spoken_to(&house, ANN).await, "pt");
    change(&house, &ann, locale(FieldChange::Clear)).await;
    assert_eq!(spoken_to(&house, ANN).await, "de");
    change(&house, &ann, locale(reads("nl"))).await;
    assert_eq!(spoken_to(&house, ANN).await, "nl");
    change(&house, &ann, with_phone(BEN, FieldChange::Keep)).await;
    assert_eq!((spoken_to(&house, ANN).await, spoken_to(&house, BEN).await), ("de".to_owned(), "nl".to_owned()));
    house.platform.remove_contact(&house.live, &ann, None).await.unwrap();
    assert_eq!(spoken_to(&house, BEN).await, "de");
    house.platform.add_contacts(&house.live, &[with_phone(BEN, reads("fi"))], None).await.unwrap();
    assert_eq!(spoken_to(&house, BEN).await, "fi");
}

#[tokio::test]
async fn of_a_tenant_without_languages_nothing_is_asked_for_a_minute() {
    let house = House::new().await;
    assert_eq!(spoken_to(&house, BEN).await, "de");
    written_elsewhere(&house, house.live.scope.tenant, ANN, "es").await;
    house.clock.advance(Duration::from_secs(59));
    assert_eq!(spoken_to(&house, ANN).await, "de", "the records were not asked");
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(spoken_to(&house, ANN).await, "es");
}

#[tokio::test]
async fn what_another_process_writes_of_a_contact_is_heard_within_a_minute() {
    let house = House::new().await;
    let ContactName::Id(ann) = add(&house, &with_phone(ANN, reads("es"))).await else { panic!("it has an id") };
    assert_eq!(spoken_to(&house, ANN).await, "es");
    let tenant = house.live.scope.tenant;
    let portuguese = |fields| ContactFields { locale: Some("pt".to_owned()), ..fields };
    house.records.contacts().update(tenant, ann, START, portuguese).await.unwrap().unwrap();
    house.clock.advance(Duration::from_secs(59));
    assert_eq!(spoken_to(&house, ANN).await, "es");
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(spoken_to(&house, ANN).await, "pt");
}

#[tokio::test]
async fn while_the_records_are_away_sends_go_out_in_the_language_that_is_known() {
    let house = House::new().await;
    add(&house, &with_phone(ANN, reads("es"))).await;
    add(&house, &with_phone(BEN, reads("pt"))).await;
    assert_eq!(spoken_to(&house, ANN).await, "es");
    house.records.clone().close().await;
    assert_eq!(spoken_to(&house, BEN).await, "de");
    assert_eq!(spoken_to(&house, ANN).await, "es", "what was heard a moment ago is still known");
    house.clock.advance(Duration::from_mins(1));
    assert_eq!(spoken_to(&house, ANN).await, "de");
    assert_eq!(house.gateway.told().len(), 4);
}

#[tokio::test]
async fn a_contact_of_another_tenant_says_nothing() {
    let house = House::new().await;
    let other = Tenant::new("other", START, &SeededRng::new(71));
    house.records.tenants().insert(&other).await.unwrap();
    written_elsewhere(&house, other.id, ANN, "es").await;
    add(&house, &with_phone(BEN, reads("pt"))).await;
    assert_eq!(spoken_to(&house, ANN).await, "de");
}

#[tokio::test]
async fn a_contact_that_a_send_adds_has_the_language_that_the_send_named_and_no_other() {
    let house = House::new().await;
    for (to, named) in [(1, Some("pt-BR")), (2, None)] {
        let adding = |send: &mut Send| (send.add_contact, send.locale) = (true, named.map(str::to_owned));
        let sent = house.sent(Dialect::Native, to, adding).await.unwrap();
        house.verify(Handle::Id(sent.session.id()), &house::code(&sent)).await.unwrap();
        house.project().await;
        let (tenant, recipient) = (house.test.scope.tenant, house::phone(to));
        let contact = house.records.contacts().find_by_phone(tenant, recipient.address()).await.unwrap().unwrap();
        assert_eq!(contact.fields.locale.as_deref(), named);
    }
}
