//! Contacts by the page and by the hundred.

use countersign_tests::{Client, Reply, TestApp};
use serde_json::{Value, json};

use crate::contacts::{CONTACTS, added};

async fn hundred(client: &Client) -> Vec<String> {
    let rows: Vec<Value> = (0..100).map(|number| json!({"email": format!("p{number}@example.com")})).collect();
    let reply = client.post(&format!("{CONTACTS}/bulk"), &json!({"contacts": rows})).await;
    reply.assert(200).json("$.summary.created_count", 100);
    let mut ids: Vec<String> =
        reply.at("$.created").as_array().unwrap().iter().map(|contact| contact["id"].as_str().unwrap().to_owned()).collect();
    ids.sort_unstable_by(|one, other| other.cmp(one));
    ids
}

fn ids(reply: &Reply) -> Vec<String> {
    reply.at("$.data").as_array().unwrap().iter().map(|contact| contact["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_list_is_read_by_page_by_cursor_and_by_contact_and_always_knows_its_total() {
    let app = TestApp::spawn().await;
    let all = hundred(&app).await;
    let first = app.get(CONTACTS).await;
    assert_eq!(ids(first.assert(200)), all[..20]);
    first.json("$.success", true).json("$.has_more", true);
    first.json("$.pagination", json!({"page": 1, "limit": 20, "total": 100, "totalPages": 5}));
    let third = app.get(&format!("{CONTACTS}?page=3&limit=30")).await;
    assert_eq!(ids(third.json("$.pagination", json!({"page": 3, "limit": 30, "total": 100, "totalPages": 4}))), all[60..90]);
    let last = app.get(&format!("{CONTACTS}?page=4&limit=30")).await;
    assert_eq!(ids(last.json("$.has_more", false).json("$.next_cursor", Value::Null)), all[90..]);
    let beyond = app.get(&format!("{CONTACTS}?page=5&limit=30")).await;
    assert!(ids(beyond.assert(200).json("$.pagination.total", 100)).is_empty(), "{beyond:?}");
    let behind = app.get(&format!("{CONTACTS}?starting_after={}&limit=100", all[0])).await;
    assert_eq!(ids(behind.json("$.pagination.page", Value::Null).json("$.pagination.total", 100)), all[1..]);

    let (mut read, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("{CONTACTS}?limit=17&cursor={cursor}")).await;
        read.extend(ids(page.assert(200)));
        if !page.at("$.has_more").as_bool().unwrap() {
            break;
        }
        cursor = page.text("$.next_cursor");
    }
    assert_eq!(read, all);
}

#[tokio::test]
async fn a_list_is_asked_for_in_its_own_words() {
    let app = TestApp::spawn().await;
    let (reply, _) = added(&app, &json!({"email": "ann+1@example.com"})).await;
    added(&app, &json!({"email": "ben@example.com"})).await;
    for query in [
        "page=0",
        "limit=0",
        "limit=101",
        "cursor=zz",
        "starting_after=ses_1",
        "page=1&starting_after=con_1",
        "tags=vip",
        "search=x",
    ] {
        app.get(&format!("{CONTACTS}?{query}")).await.assert(400);
    }
    let found = app.get(&format!("{CONTACTS}?email=ANN%2B1@example.com")).await;
    assert_eq!(ids(found.assert(200).json("$.pagination.total", 1)), [reply.text("$.id")]);
    app.get(&format!("{CONTACTS}?email=nobody@example.com"))
        .await
        .assert(200)
        .json("$.data", json!([]))
        .json("$.pagination.total", 0);
}

#[tokio::test]
async fn of_many_each_row_is_told_what_became_of_it() {
    let app = TestApp::spawn().await;
    added(&app, &json!({"email": "ann@example.com", "first_name": "Ann"})).await;
    let rows = json!({"contacts": [
        {"email": "ben@example.com", "external_id": "b"},
        {"email": "ANN@example.com", "first_name": "Other"},
        {"email": "ben@example.com"},
        {"first_name": "Nobody"},
        {"email": "carl", "phone": "+12025550143"},
        {"phone": "+12025550143"},
        "dora",
    ]});
    let reply = app.post(&format!("{CONTACTS}/bulk"), &rows).await;
    reply.assert(200).json("$.success", true).json("$.total_processed", 7);
    reply.json("$.summary", json!({"created_count": 2, "skipped_count": 2, "error_count": 3}));
    reply.json("$.created[0].external_id", "b").json("$.created[1].phone", "+12025550143");
    reply.json("$.skipped[0].row", 1).json("$.skipped[0].field", "email").json("$.skipped[1].row", 2);
    let rows: Vec<i64> = (0..3).map(|at| reply.int(&format!("$.errors[{at}].row"))).collect();
    assert_eq!(rows, [3, 4, 6], "{reply:?}");
    reply.json("$.errors[0].code", "missing_address").json("$.errors[1].field", "contacts[4].email");
    let ann = app.get(&format!("{CONTACTS}?email=ann@example.com")).await;
    ann.json("$.data[0].first_name", "Ann").json("$.pagination.total", 1);
    app.get(CONTACTS).await.json("$.pagination.total", 3);
}

#[tokio::test]
async fn so_many_and_no_more_come_in_one_call() {
    let app = TestApp::spawn().await;
    let bulk = format!("{CONTACTS}/bulk");
    let rows = |count: usize| {
        let rows: Vec<Value> = (0..count).map(|number| json!({"phone": format!("+1202{number:07}")})).collect();
        json!({"contacts": rows})
    };
    app.post(&bulk, &rows(1000)).await.assert(200).json("$.summary.created_count", 1000);
    for wrong in [rows(1001), rows(0), json!({}), json!({"contacts": {}})] {
        app.post(&bulk, &wrong).await.error(400, "invalid_field").json("$.details.field", "contacts");
    }
    let large = json!({"contacts": [{"email": "ann@example.com", "padding": "x".repeat(65_536)}]});
    app.post(&bulk, &large).await.error(413, "payload_too_large");
    app.get(CONTACTS).await.json("$.pagination.total", 1000);
}
