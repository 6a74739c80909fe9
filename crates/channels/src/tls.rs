//! What every provider that speaks TLS shares.

use std::error::Error;
use std::io;

/// Names ring as the process's cryptography for TLS, unless somebody has named one already.
pub(crate) fn install_crypto() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Whether a failure goes back to the TLS library: no trust, wrong name, or no TLS on the other side.
pub(crate) fn is_tls(failure: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(failure);
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            return true;
        }
        // An I/O error hides from `source` the error it was made of.
        let hidden = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = match hidden {
            Some(hidden) => Some(hidden),
            None => error.source(),
        };
    }
    false
}
