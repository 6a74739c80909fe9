//! A private PostgreSQL does what tests expect of it.

use std::net::TcpStream;

use countersign_testing::{PostgresOptions, PostgresServer};

#[test]
fn a_server_takes_connections_until_it_is_stopped_and_again_after_a_restart() {
    let mut server = PostgresServer::start();
    let reach = |server: &PostgresServer| TcpStream::connect(("127.0.0.1", server.port())).is_ok();
    assert!(reach(&server));
    server.stop();
    assert!(!reach(&server));
    server.restart();
    assert!(reach(&server));
    server.kill();
    assert!(!reach(&server));
    server.restart();
    assert!(reach(&server));
    assert!(server.database().url().contains(&server.port().to_string()));
}

#[test]
fn tests_of_a_run_share_a_server_and_have_a_database_each() {
    let (first, second) = (PostgresServer::shared().database(), PostgresServer::shared().database());
    assert_ne!(first.name(), second.name());
    let server = |url: String| url.rsplit_once('/').map(|(server, _)| server.to_owned());
    assert_eq!(server(first.url()), server(second.url()));
}

#[test]
fn a_server_may_listen_on_a_socket_and_wait_for_the_disk() {
    let server = PostgresServer::start_with(PostgresOptions { fsync: true, unix_socket: true });
    assert!(server.socket_folder().join(format!(".s.PGSQL.{}", server.port())).exists());
}
