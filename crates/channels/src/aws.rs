//! What Amazon's services share: signed requests, the names of errors, and signed notifications.

mod certificate;
mod fault;
mod fetch;
mod keys;
mod sigv4;
mod sns;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use self::fault::{check, common, kind};
pub(crate) use self::fetch::{ByHttp, Fetch};
pub(crate) use self::keys::{Keys, host_of};
pub(crate) use self::sigv4::{Signer, Unsigned};
pub(crate) use self::sns::Topic;
