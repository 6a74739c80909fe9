//! Rows as a busy tenant has them: 30 days, four in a thousand failed, one in a thousand by voice, two services.

use std::error::Error;
use std::time::Instant;

use sqlx::{AssertSqlSafe, Executor};

use crate::Target;
use crate::queries::{DAYS, REALM, START};

/// Rows of one statement.
const STEP: u64 = 250_000;

pub(crate) async fn fill(target: &mut Target, rows: u64) -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    let mut from = 0;
    while from < rows {
        let to = (from + STEP).min(rows);
        target.connection.execute(sqlx::raw_sql(AssertSqlSafe(insert(target.is_file, from, to, rows)))).await?;
        from = to;
    }
    // What the projector keeps with each change, made at once.
    let counts = "INSERT INTO list_counts (list, realm, hour, service, channel, status, total)
         SELECT 'messages', realm, created_at / 3600000, COALESCE(service_id, ''), channel, status, COUNT(*)
         FROM messages GROUP BY realm, created_at / 3600000, COALESCE(service_id, ''), channel, status";
    target.connection.execute(counts).await?;
    let settle = if target.is_file { "ANALYZE" } else { "VACUUM ANALYZE" };
    target.connection.execute(sqlx::raw_sql(settle)).await?;
    println!("{rows} rows in {:.0} s", began.elapsed().as_secs_f64());
    Ok(())
}

fn insert(is_file: bool, from: u64, to: u64, rows: u64) -> String {
    let numbers = if is_file {
        format!("WITH RECURSIVE numbers(n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {to})")
    } else {
        format!("WITH numbers AS (SELECT n FROM generate_series(CAST({from} AS BIGINT), CAST({to} - 1 AS BIGINT)) AS n)")
    };
    let padded = |text: &str, width: u32| {
        if is_file { format!("printf('%0{width}d', {text})") } else { format!("lpad(CAST({text} AS TEXT), {width}, '0')") }
    };
    let (id, session) = (padded("n", 26), padded("n / 2", 26));
    let person = padded("n * 7919 % 300000", 7);
    format!(
        "{numbers} INSERT INTO messages (id, realm, session_id, service_id, channel, recipient, status, provider, provider_id, cost, country, \
         created_at, sent_at) SELECT 'msg_' || {id}, '{REALM}', 'ses_' || {session}, \
         CASE WHEN n % 3 = 0 THEN '1f0c7f6e-9e0c-4a6e-8a55-0e6f9e4bd001' END, \
         CASE WHEN n % 1000 = 7 THEN 'voice' WHEN n % 10 < 6 THEN 'sms' ELSE 'email' END, CASE WHEN n % 1000 = 7 OR n % 10 < 6 THEN '+1202' || {person} ELSE 'p' || {person} || '@example.com' END, \
         CASE WHEN n % 1000 < 4 THEN 'failed' WHEN n % 2000 = 9 THEN 'pending' WHEN n % 10 < 6 THEN 'delivered' ELSE 'sent' END, \
         'house', 'p' || n, 7500, 'US', {START} + CAST(n * {DAYS} * 86400000.0 / {rows} AS BIGINT), {START} + 1 FROM numbers"
    )
}
