//! Private Redis: one server, a cluster, a primary with a replica under Sentinel, and a proxy that breaks lines.
//!
//! Nothing is shared between tests: a server starts in some ten milliseconds, and names of keys are the same in every test.

mod cluster;
mod options;
mod proxy;
mod sentinel;
mod server;

pub use cluster::RedisCluster;
pub use options::RedisOptions;
pub use proxy::Proxy;
pub use sentinel::RedisSentinel;
pub use server::RedisServer;
