//! The scripts: each is its parts, one after the other.
//!
//! They ask for Redis 7: the first line of a script says there what it may do. Opening and sending again are refused when memory is short;
//! whatever ends or settles a session goes on.

use super::link::Script;

/// Puts a script together from its parts.
macro_rules! script {
    ($name:literal, $flags:literal, [$($part:literal),*]) => {
        Script::new($name, concat!("#!lua", $flags, "\n", $(include_str!(concat!("lua/", $part, ".lua")), "\n",)* include_str!(concat!("lua/", $name, ".lua"))))
    };
}

pub(super) static OPEN: Script =
    script!("open", "", ["lib", "lib_subject", "lib_guard", "lib_session", "lib_memo", "lib_claim", "lib_blocked", "lib_count"]);
pub(super) static RECORD: Script = script!("record", " flags=allow-oom", ["lib", "lib_session", "lib_memo"]);
pub(super) static VERIFY: Script =
    script!("verify", " flags=allow-oom", ["lib", "lib_subject", "lib_guard", "lib_session", "lib_memo", "lib_claim"]);
pub(super) static RESEND: Script =
    script!("resend", "", ["lib", "lib_subject", "lib_guard", "lib_session", "lib_memo", "lib_claim", "lib_blocked", "lib_count", "lib_send"]);
pub(super) static ADVANCE: Script =
    script!("advance", " flags=allow-oom", ["lib", "lib_subject", "lib_guard", "lib_session", "lib_blocked", "lib_send"]);
pub(super) static CANCEL: Script =
    script!("cancel", " flags=allow-oom", ["lib", "lib_subject", "lib_guard", "lib_session", "lib_memo", "lib_claim"]);
pub(super) static LAPSE: Script = script!("lapse", " flags=allow-oom", ["lib", "lib_session"]);
pub(super) static ADMIT: Script = script!("admit", " flags=allow-oom", ["lib", "lib_subject", "lib_guard"]);
pub(super) static HEAD: Script = script!("head", " flags=allow-oom", ["lib"]);
pub(super) static ACCOUNT: Script = script!("account", " flags=allow-oom", ["lib"]);
pub(super) static PEEK: Script = script!("peek", " flags=no-writes", ["lib"]);
pub(super) static LIST: Script = script!("list", " flags=no-writes", ["lib"]);
pub(super) static DUE: Script = script!("due", " flags=no-writes", ["lib"]);
pub(super) static TRIM: Script = script!("trim", " flags=allow-oom", ["lib"]);

/// All of them, to be loaded before a connection is used.
pub(super) static ALL: [&Script; 14] = [
    &OPEN, &RECORD, &VERIFY, &RESEND, &ADVANCE, &CANCEL, &LAPSE, &ADMIT, &HEAD, &ACCOUNT, &PEEK, &LIST, &DUE, &TRIM,
];
