//! A key is ended while PostgreSQL is away, and the copy of the records beside the sessions is made anew where it is missing.

use countersign_records::{AuditFilter, Records};
use countersign_session::store::SessionStore;
use countersign_testing::PostgresServer;
use countersign_testing::redis::{RedisOptions, RedisServer};
use countersign_tests::{Client, Process, Site, email, poll};
use reqwest::Method;

/// Tokens and keys that nobody made, and what could be none.
const STRANGER: &str = "cs_admin_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const UNKNOWN: &str = "sk_test_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const MALFORMED: &str = "sk_test_AAAA";

/// A key that was made at the terminal.
struct Made {
    id: String,
    secret: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_ended_while_the_database_is_away_and_the_records_write_it_down_when_they_are_back() {
    let redis = RedisServer::start_with(RedisOptions::default().append_only("always"));
    let mut postgres = PostgresServer::start();
    let database = postgres.database();
    let site = Site::found(&Site::setup(&redis, &database).set("database.acquire_seconds", 1)).await;
    let [one, other] = site.two_nodes().await;
    let [by_api, by_terminal] = [made(&site, "by-api").await, made(&site, "by-terminal").await];
    let token = site.command(&["admin-token", "create", "--name", "ops", "--scope", "read,keys"]).await;
    let token = token["secret"].as_str().unwrap().to_owned();
    let records = site.records().await;
    for node in [&one, &other] {
        up_to_date(&operator(node, &token), &records).await;
    }
    records.close().await;

    postgres.stop();
    let path = |key: &Made| format!("/admin/v1/tenants/default/keys/{}", key.id);
    operator(&one, &token).call(Method::DELETE, &path(&by_api), None, "").await.assert(202).json("$.state", "revoked");
    let said = site.command(&["key", "revoke", &by_terminal.id]).await;
    assert_eq!((&said["revoked"], &said["written"]), (&true.into(), &false.into()));
    // Also where a node knows of nothing but the copy.
    let late = site.node().await;
    for node in [&one, &other, &late] {
        for ended in [&by_api, &by_terminal] {
            let refused = node.client().with_key(&ended.secret).try_send(&email("ann@example.com")).await;
            refused.error(401, "invalid_api_key");
        }
        operator(node, &token).get("/admin/v1/info").await.assert(200);
        operator(node, STRANGER).get("/admin/v1/info").await.assert(503);
        operator(node, MALFORMED).get("/admin/v1/info").await.assert(401);
        node.client().with_key(UNKNOWN).try_send(&email("ann@example.com")).await.error(503, "unavailable");
        node.client().with_key(MALFORMED).try_send(&email("ann@example.com")).await.error(401, "invalid_api_key");
        node.client().try_send(&email("ann@example.com")).await.error(401, "invalid_api_key");
    }

    postgres.restart();
    let records = site.records().await;
    poll("both ends to be written down, each by who wished it", async || {
        let keys = records.api_keys().list(site.tenant).await.map_err(|error| error.to_string())?;
        let ended = |made: &Made| keys.iter().any(|key| key.id.to_string() == made.id && key.revoked_at.is_some());
        let audit = records.audit().list(AuditFilter::default(), 100).await.map_err(|error| error.to_string())?;
        let ends = |key: &Made, who: &str| {
            let of =
                |entry: &&countersign_records::AuditEntry| entry.entry.what == "key.revoke" && entry.entry.target_id == key.id;
            audit.iter().filter(of).filter(|entry| entry.entry.who == who).count()
        };
        let told = (ends(&by_api, "ops"), ends(&by_terminal, "countersign"));
        if ended(&by_api) && ended(&by_terminal) && told == (1, 1) { Ok(()) } else { Err(format!("{keys:?} {audit:?}")) }
    })
    .await;
    records.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_began_anew_has_the_copy_of_the_records_a_moment_later() {
    let (redis, mut postgres) = (RedisServer::start(), PostgresServer::start());
    let database = postgres.database();
    let site = Site::found(&Site::setup(&redis, &database).set("database.acquire_seconds", 1)).await;
    let node = site.node().await;
    let store = site.store();
    let there = async || store.has_configuration().await.map_err(|error| error.to_string());
    let copied = async || if there().await? { Ok(()) } else { Err("no copy".to_owned()) };
    poll("a first copy", copied).await;
    assert_eq!(redis.cli(&["FLUSHALL"]).trim(), "OK");
    site.command(&["store", "init"]).await;
    poll("another copy", copied).await;
    postgres.stop();
    node.kill().await;
    let late = site.node().await;
    site.caller(countersign_model::KeyKind::Test, [&late]).send(email("ann@example.com")).await;
}

async fn made(site: &Site, name: &str) -> Made {
    let made = site.command(&["key", "create", "--mode", "test", "--name", name]).await;
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    Made { id: text("id"), secret: text("secret") }
}

fn operator(node: &Process, token: &str) -> Client {
    node.admin().with("Authorization", &format!("Bearer {token}"))
}

/// Waits until a node knows the newest records.
async fn up_to_date(operator: &Client, records: &Records) {
    let newest = records.configuration_version().await.unwrap();
    poll("the newest records", async || {
        let info = operator.get("/admin/v1/info").await;
        if info.at("$.configuration_version") == newest { Ok(()) } else { Err(format!("{info:?}")) }
    })
    .await;
}
