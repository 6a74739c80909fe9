//! How long the message log takes with many rows: fills a database of its own, runs the queries of the lists, prints times and plans.
//!
//! `cargo run -p countersign-records --release --example message_log -- postgres://user@host/name 10000000`, or the path of a file that does not
//! exist yet. Refuses a database that has messages already.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

mod fill;
mod queries;

use std::error::Error;
use std::path::PathBuf;

use countersign_records::{Place, PoolOptions, Records};
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, Connection};

/// A database and what its own plans are asked for with.
struct Target {
    records: Records,
    connection: AnyConnection,
    is_file: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(place), Some(rows)) = (arguments.next(), arguments.next()) else {
        return Err("usage: message_log <postgres://… | file> <rows>".into());
    };
    let rows: u64 = rows.parse()?;
    let mut target = open(&place).await?;
    if queries::count(&mut target.connection).await? > 0 {
        return Err("this database has messages already".into());
    }
    fill::fill(&mut target, rows).await?;
    queries::run(&mut target, rows).await
}

async fn open(place: &str) -> Result<Target, Box<dyn Error>> {
    install_default_drivers();
    let is_file = !place.starts_with("postgres");
    let (at, url) = if is_file {
        (Place::File(PathBuf::from(place)), format!("sqlite://{place}"))
    } else {
        (Place::Url(place.into()), place.to_owned())
    };
    let records = Records::open_with(at, PoolOptions::default()).await?;
    records.migrate().await?;
    Ok(Target { records, connection: AnyConnection::connect(&url).await?, is_file })
}
