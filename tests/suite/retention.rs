//! What is old leaves the records.

use std::time::Duration;

use countersign_model::{KeyKind, Mode, Scope};
use countersign_records::{ListFilter, Realm};
use countersign_tests::{TestApp, email, poll};

use crate::contact_news::records;

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn sessions_older_than_the_operator_keeps_them_leave_lists_and_totals() {
    let app = TestApp::builder().generous().set("retention.sessions_days", 7).spawn().await;
    let records = records(&app).await;
    let tenant = records.tenants().list().await.unwrap()[0].id;
    let filter = ListFilter::all(Realm { scope: Scope { tenant, keys: KeyKind::Test }, mode: Mode::Sandbox });
    let total = async || records.sessions().page(&filter, 0, 10).await.unwrap().total;
    let known = async |wanted: u64| {
        poll("sessions in the records", async || {
            let found = total().await;
            if found == wanted { Ok(()) } else { Err(format!("{found} of {wanted}")) }
        })
        .await;
    };
    app.send(email("ann@example.com")).await;
    app.send(email("bob@example.com")).await;
    known(2).await;
    app.advance(6 * DAY);
    let young = app.send(email("eve@example.com")).await;
    known(3).await;
    app.platform().forget_history(None).await.unwrap();
    assert_eq!(total().await, 3);
    app.advance(2 * DAY);
    assert_eq!(app.platform().forget_history(None).await.unwrap(), None, "there are few tenants");
    let page = records.sessions().page(&filter, 0, 10).await.unwrap();
    assert_eq!((page.total, page.rows.len()), (1, 1));
    assert_eq!(page.rows[0].id.to_string(), young.session_id);
    let messages = records.messages().page(&ListFilter::all(filter.realm), None, 0, 10).await.unwrap();
    assert_eq!((messages.total, messages.rows.len()), (1, 1));
    records.close().await;
}
