//! A caller's own templates and senders.

use std::time::Duration;

use countersign_core::{AddTemplateError, NewTemplate};

use crate::house::{House, SMS};

impl House {
    async fn add(&self, name: &str, body: &str) -> Result<countersign_model::Template, AddTemplateError> {
        let new = NewTemplate { channel: SMS, name: name.to_owned(), body: body.to_owned() };
        self.clock.advance(Duration::from_secs(1));
        self.platform.add_template(&self.live, new).await
    }
}

#[tokio::test]
async fn templates_are_listed_by_the_beginning_of_their_names() {
    let house = House::new().await;
    for name in ["one", "two", "once"] {
        house.add(name, "{{code}}").await.unwrap();
    }
    let names = async |prefix: Option<&str>, offset, limit| {
        let listing = house.platform.templates(&house.live, prefix, offset, limit).await.unwrap();
        (listing.rows.into_iter().map(|template| template.name).collect::<Vec<_>>().join(" "), listing.total)
    };
    assert_eq!(names(None, 0, 10).await, ("one two once".to_owned(), 3));
    assert_eq!(names(Some("on"), 1, 10).await, ("once".to_owned(), 2));
    assert_eq!(names(None, 1, 1).await, ("two".to_owned(), 3));
    assert_eq!(names(None, 9, 1).await, (String::new(), 3));
}

#[tokio::test]
async fn a_template_is_found_by_its_id_as_soon_as_it_is_made() {
    let house = House::new().await;
    let made = house.add("one", "{{code}}").await.unwrap();
    assert!(made.by_choice);
    assert_eq!(house.platform.template(&house.live, made.id).await.unwrap(), Some(made));
    assert_eq!(house.platform.template(&house.live, countersign_model::Uuid::from_u128(7)).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_no_template_is_told_apart() {
    let house = House::new().await;
    assert!(matches!(house.add("one", "no place").await.unwrap_err(), AddTemplateError::WithoutCode));
    assert!(matches!(house.add("one", "{{code}} {{other}}").await.unwrap_err(), AddTemplateError::Wording(_)));
    assert!(matches!(house.add(" ", "{{code}}").await.unwrap_err(), AddTemplateError::Name));
}

#[tokio::test]
async fn senders_are_listed_oldest_first() {
    let house = House::new().await;
    let order = countersign_core::manage::Order::from_terminal();
    for value in ["ZED", "ANN"] {
        house.clock.advance(Duration::from_secs(1));
        let draft = countersign_core::manage::SenderDraft { channel: SMS, value: value.to_owned() };
        house.platform.create_sender(&order, house.live.scope.tenant, None, draft).await.unwrap();
    }
    let listing = house.platform.senders(&house.live, 0, 1).await.unwrap();
    assert_eq!((listing.rows[0].value.as_str(), listing.total), ("ZED", 2));
}
