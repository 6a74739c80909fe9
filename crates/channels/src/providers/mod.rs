//! One folder a provider. `crate::registry` lists those that configuration can ask for.

pub(crate) mod console;
pub(crate) mod http;
pub(crate) mod sandbox;
pub(crate) mod smtp;
