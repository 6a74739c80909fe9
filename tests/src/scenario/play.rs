//! Plays a scenario against a server of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::values::Values;
use super::{Scenario, Step, check};
use crate::reply::pointer;
use crate::{Client, Expected, KeyWish, ProviderDouble, Reply, TestApp, run};

/// Plays it to its end.
///
/// # Panics
///
/// Where a reply is not as it is written: with the file, the scenario, the step, and the whole reply.
pub async fn play(file: &str, scenario: &Scenario) {
    let gateway = if scenario.gateway { Some(ProviderDouble::start(Expected::json()).await) } else { None };
    let mut builder = TestApp::builder();
    for (key, value) in &scenario.config {
        builder = builder.set(key, value.clone());
    }
    for service in &scenario.services {
        let id = service["id"].as_str().expect("a service has an id");
        let keys: Vec<(&str, Value)> =
            service.iter().filter(|(key, _)| *key != "id").map(|(key, value)| (key.as_str(), value.clone())).collect();
        builder = builder.service(id, &keys);
    }
    for (name, key) in &scenario.keys {
        let wish = if key.kind == "live" { KeyWish::live() } else { KeyWish::test() };
        let wish = if key.read_only { wish.read_only() } else { wish };
        let wish = key.origins.iter().fold(wish, |wish, origin| wish.for_page(origin));
        builder = builder.key(name, if key.foreign { wish.of_another_tenant() } else { wish });
    }
    if let Some(gateway) = &gateway {
        builder = builder.sms(gateway);
    }
    let app = builder.spawn().await;
    let mut values = Values::default();
    for (name, secret, access) in app.all_keys() {
        values.set(&format!("key.{name}"), secret);
        values.set(&format!("access.{name}"), access);
    }
    values.set("tenant", app.tenant());
    let mut operator = None;
    for (at, step) in scenario.steps.iter().enumerate() {
        let place = format!("{file}: {} (step {})", scenario.title, at + 1);
        if let Some(seconds) = step.advance {
            app.advance(Duration::from_secs(seconds));
        }
        if step.sweep {
            app.sweep().await;
        }
        let Some(call) = &step.call else { continue };
        let client = if step.operator {
            if operator.is_none() {
                operator = Some(chief(&app).await);
            }
            operator.clone().unwrap_or_else(|| app.nobody())
        } else {
            app.nobody()
        };
        take(&client, call, step, &mut values, &place).await;
    }
    app.stop().await;
}

/// An operator who may do everything.
async fn chief(app: &TestApp) -> Client {
    let order = ["admin-token", "create", "--name", "scenario", "--scope", "read,write,wallet,keys"];
    let made = run(app.path(), &order).await;
    let token = made["secret"].as_str().unwrap_or_else(|| panic!("no token: {made}"));
    app.admin().with("Authorization", &format!("Bearer {token}"))
}

async fn take(client: &Client, call: &str, step: &Step, values: &mut Values, place: &str) {
    let mut client = client.clone();
    for (name, value) in &step.headers {
        client = client.with(name, &values.fill(value));
    }
    let (method, path) = call.split_once(' ').unwrap_or_else(|| panic!("{place}: no method and path: {call}"));
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let path = values.fill(path);
    let (media_type, body) = match (&step.body, &step.raw) {
        (Some(body), _) => (Some("application/json".to_owned()), values.fill_in(body).to_string()),
        (None, Some(raw)) => (None, values.fill(raw)),
        (None, None) => (None, String::new()),
    };
    let media_type = step.media_type.clone().or(media_type);
    if let Some(times) = step.times {
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..times {
            let (client, method, path, media_type, body) =
                (client.clone(), method.clone(), path.clone(), media_type.clone(), body.clone());
            calls.spawn(async move { client.call(method, &path, media_type.as_deref(), body).await.status.to_string() });
        }
        let mut counted: BTreeMap<String, usize> = BTreeMap::new();
        for status in calls.join_all().await {
            *counted.entry(status).or_default() += 1;
        }
        assert_eq!(counted, step.statuses, "{place}");
        return;
    }
    let reply = client.call(method, &path, media_type.as_deref(), body).await;
    let status = step.status.unwrap_or_else(|| panic!("{place}: no status is written"));
    assert!(reply.status == status, "{place}: expected {status}, got {reply:?}");
    if let Some(expected) = &step.reply {
        let differences = check::differences(&values.fill_in(expected), &reply.body());
        assert!(differences.is_empty(), "{place}:\n  {}\n{reply:?}", differences.join("\n  "));
    }
    headers(&step.reply_headers, &reply, values, place);
    for (name, path) in &step.save {
        let value = reply.body().pointer(&pointer(path)).cloned();
        values.set(name, value.unwrap_or_else(|| panic!("{place}: nothing at {path}: {reply:?}")));
    }
}

fn headers(expected: &BTreeMap<String, String>, reply: &Reply, values: &Values, place: &str) {
    for (name, value) in expected {
        let found = reply.header(&name.to_ascii_lowercase()).map_or(Value::Null, Value::from);
        // Numbers in headers are written as forms of numbers.
        let number = found.as_str().and_then(|text| text.parse::<i64>().ok()).map(Value::from);
        let wanted = Value::from(values.fill(value));
        let fits = check::differences(&wanted, &found).is_empty()
            || number.is_some_and(|number| check::differences(&wanted, &number).is_empty());
        assert!(fits, "{place}: {name} should be {value}, is {found}\n{reply:?}");
    }
}
