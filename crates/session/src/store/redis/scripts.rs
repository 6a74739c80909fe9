//! The scripts, as the build has put them together from `lua/`.
//!
//! They ask for Redis 7: the first line of a script says there what it may do. Opening and sending again are refused when memory is short;
//! whatever ends or settles a session goes on.

use super::link::Script;

macro_rules! script {
    ($name:literal) => {
        Script::new($name, include_str!(concat!(env!("OUT_DIR"), "/", $name, ".lua")))
    };
}

pub(super) static OPEN: Script = script!("open");
pub(super) static RECORD: Script = script!("record");
pub(super) static VERIFY: Script = script!("verify");
pub(super) static RESEND: Script = script!("resend");
pub(super) static ADVANCE: Script = script!("advance");
pub(super) static CANCEL: Script = script!("cancel");
pub(super) static LAPSE: Script = script!("lapse");
pub(super) static RECEIVE: Script = script!("receive");
pub(super) static MESSAGE: Script = script!("message");
pub(super) static ADMIT: Script = script!("admit");
pub(super) static HEAD: Script = script!("head");
pub(super) static ACCOUNT: Script = script!("account");
pub(super) static PEEK: Script = script!("peek");
pub(super) static LIST: Script = script!("list");
pub(super) static DUE: Script = script!("due");
pub(super) static TRIM: Script = script!("trim");
pub(super) static NAMED: Script = script!("named");
pub(super) static STRIKE: Script = script!("strike");
pub(super) static UNBLOCK: Script = script!("unblock");

/// All of them, to be loaded before a connection is used.
pub(super) static ALL: [&Script; 19] = [
    &OPEN, &RECORD, &VERIFY, &RESEND, &ADVANCE, &CANCEL, &LAPSE, &ADMIT, &HEAD, &ACCOUNT, &PEEK, &LIST, &DUE, &TRIM, &NAMED,
    &STRIKE, &UNBLOCK, &RECEIVE, &MESSAGE,
];
