//! Every row and every error of the native API, over HTTP, against a whole server.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong in a test ends it")]

mod account;
mod admin_access;
mod admin_cli;
mod admin_money;
mod admin_records;
mod admin_webhooks;
mod budget;
mod cancel;
mod client_manners;
mod contact_callers;
mod contact_lists;
mod contact_news;
mod contacts;
mod crash;
mod delivery;
mod doubles;
mod errors;
mod expiry;
mod faults;
mod first_start;
mod foreign_smtp;
mod headers;
mod idempotency;
mod imports;
mod keys;
mod limits;
mod log;
mod messages;
mod next_and_fallback;
mod open_pages;
mod order_of_checks;
mod proof;
mod races;
mod resend;
mod secrecy;
mod send;
mod send_fields;
mod status_and_list;
mod tokens;
mod unclear;
mod verify_all;
mod verify_any;
