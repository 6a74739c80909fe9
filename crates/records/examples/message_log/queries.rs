//! The questions that lists ask, timed through the same calls, and the plans behind them.

use std::error::Error;
use std::time::{Duration, Instant};

use countersign_model::{Channel, MessageStatus, Recipient, Timestamp};
use countersign_records::{ListFilter, ListPlace, Realm};
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::Target;

pub(crate) const REALM: &str = "ten_01KF0P3Q0GZ5M6T1V8W2X4Y7ZB.l";
/// 2026-01-01T00:00:00Z.
pub(crate) const START: i64 = 1_767_225_600_000;
pub(crate) const DAYS: i64 = 30;

/// How often each question is asked; the median counts.
const TIMES: usize = 9;

pub(crate) async fn count(connection: &mut AnyConnection) -> Result<i64, sqlx::Error> {
    sqlx::query("SELECT COUNT(*) FROM messages").fetch_one(connection).await?.try_get(0)
}

pub(crate) async fn run(target: &mut Target, rows: u64) -> Result<(), Box<dyn Error>> {
    let all: ListFilter<MessageStatus> = ListFilter::all(REALM.parse::<Realm>()?);
    let day = |day: f64| Some(Timestamp::from_millis(START).plus(Duration::from_secs_f64(day * 86_400.0)));
    let failed = ListFilter { status: Some(MessageStatus::Failed), ..all.clone() };
    let voice = ListFilter { channel: Some(Channel::Voice), ..all.clone() };
    let week = ListFilter { from: day(10.51), to: day(17.52), ..all.clone() };
    let sms_week = ListFilter { status: Some(MessageStatus::Delivered), channel: Some(Channel::Sms), ..week.clone() };
    let service = ListFilter { service: Some("1f0c7f6e-9e0c-4a6e-8a55-0e6f9e4bd001".parse()?), ..all.clone() };
    let none = ListFilter { channel: Some(Channel::Whatsapp), ..all.clone() };
    let person = Recipient::parse(Channel::Sms, "+12020007919")?;
    let pages = [
        ("newest page", &all, None, 0),
        ("page in the middle", &all, None, rows / 2),
        ("last page", &all, None, rows - 20),
        ("failed, newest page", &failed, None, 0),
        ("failed, page in the middle", &failed, None, rows / 500),
        ("voice, newest page", &voice, None, 0),
        ("voice, page in the middle", &voice, None, rows / 2000),
        ("a week", &week, None, 0),
        ("a week, delivered by SMS", &sms_week, None, 0),
        ("one service", &service, None, 0),
        ("a channel without messages", &none, None, 0),
        ("one recipient", &all, Some(&person), 0),
    ];
    println!("\n| pages by number, with the total | rows in all | median |\n|---|---|---|");
    for (name, filter, recipient, offset) in pages {
        let (mut times, mut total) = (Vec::new(), 0);
        for _ in 0..TIMES {
            let began = Instant::now();
            total = target.records.messages().page(filter, recipient, offset, 20).await?.total;
            times.push(began.elapsed());
        }
        println!("| {name} | {total} | {} |", median(times));
    }
    println!("\n| slices behind a place | median |\n|---|---|");
    let place = ListPlace { at: day(15.3).unwrap_or(Timestamp::from_millis(START)), id: "msg_~".to_owned() };
    for (name, filter, place) in [
        ("newest", &all, None),
        ("in the middle", &all, Some(&place)),
        ("failed, in the middle", &failed, Some(&place)),
        ("voice, in the middle", &voice, Some(&place)),
    ] {
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let began = Instant::now();
            target.records.messages().after(filter, None, place, 20).await?;
            times.push(began.elapsed());
        }
        println!("| {name} | {} |", median(times));
    }
    plans(target, rows).await
}

/// The statements that the calls above end in.
async fn plans(target: &mut Target, rows: u64) -> Result<(), Box<dyn Error>> {
    let end = START + DAYS * 86_400_000;
    let (hour, per_hour) = (3_600_000, rows / 720);
    let middle = START + DAYS * 43_200_000;
    let columns = "SELECT id, status, recipient FROM messages";
    let statements = [
        (
            "total and place of a page",
            format!(
                "SELECT hour, CAST(SUM(total) AS BIGINT) AS total FROM list_counts WHERE list = 'messages' AND realm = '{REALM}' \
                 AND hour >= 0 AND hour < {} GROUP BY hour HAVING SUM(total) > 0 ORDER BY hour DESC LIMIT 9223372036854775807",
                i64::MAX / hour
            ),
        ),
        (
            "a page in the middle",
            format!(
                "{columns} WHERE realm = '{REALM}' AND created_at >= {middle} AND created_at < {} ORDER BY created_at DESC, id DESC \
                 LIMIT 20 OFFSET {}",
                middle + hour,
                per_hour / 2
            ),
        ),
        (
            "a page of failed messages",
            format!(
                "{columns} WHERE realm = '{REALM}' AND created_at >= {} AND created_at < {end} AND status = 'failed' \
                 ORDER BY created_at DESC, id DESC LIMIT 20 OFFSET 0",
                end - 2 * hour
            ),
        ),
        (
            "a page of a channel that few messages take",
            format!(
                "{columns} WHERE realm = '{REALM}' AND created_at >= {} AND created_at < {end} AND channel = 'voice' \
                 ORDER BY created_at DESC, id DESC LIMIT 20 OFFSET 0",
                end - 3 * hour
            ),
        ),
        (
            "the hour at the edge of a stretch of time, counted row by row",
            format!(
                "SELECT COUNT(*) FROM messages WHERE realm = '{REALM}' AND created_at >= {middle} AND created_at < {}",
                middle + hour / 2
            ),
        ),
        (
            "one recipient",
            format!(
                "{columns} WHERE realm = '{REALM}' AND created_at >= 0 AND created_at < {end} AND recipient = '+12020007919' \
                 ORDER BY created_at DESC, id DESC LIMIT 20 OFFSET 0"
            ),
        ),
        ("for comparison: the total without the counts", format!("SELECT COUNT(*) FROM messages WHERE realm = '{REALM}'")),
    ];
    for (name, statement) in statements {
        println!("\n{name}\n");
        let explain = if target.is_file { "EXPLAIN QUERY PLAN" } else { "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY ON)" };
        let plan = sqlx::query(AssertSqlSafe(format!("{explain} {statement}"))).fetch_all(&mut target.connection).await?;
        let column = if target.is_file { 3 } else { 0 };
        for row in plan {
            println!("    {}", row.try_get::<String, _>(column)?);
        }
        if target.is_file {
            let began = Instant::now();
            sqlx::query(AssertSqlSafe(statement)).fetch_all(&mut target.connection).await?;
            println!("    ran in {}", shown(began.elapsed()));
        }
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    shown(times[times.len() / 2])
}

fn shown(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
