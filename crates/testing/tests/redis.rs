//! The Redis of the tests does what tests ask of it.

use std::io::{Read, Write};
use std::net::TcpStream;

use countersign_testing::redis::{Proxy, RedisCluster, RedisOptions, RedisSentinel, RedisServer};

#[test]
fn what_was_written_to_the_file_survives_a_kill() {
    let mut server = RedisServer::start_with(RedisOptions::default().append_only("always"));
    let port = server.port();
    assert_eq!(server.cli(&["SET", "kept", "yes"]), "OK");
    server.kill();
    server.restart();
    assert_eq!((server.cli(&["GET", "kept"]).as_str(), server.port()), ("yes", port));
}

#[test]
fn a_server_behind_a_password_lets_the_test_in() {
    let server = RedisServer::start_with(RedisOptions::default().password("open-sesame"));
    assert_eq!(server.cli(&["PING"]), "PONG");
    assert_eq!(server.calls("ping"), 2);
}

#[test]
fn a_cluster_answers_for_every_slot_and_can_move_one() {
    let cluster = RedisCluster::start(3);
    assert_eq!(cluster.node(0).cli(&["CLUSTER", "KEYSLOT", "foo"]), "12182");
    assert!(cluster.node(0).cli(&["SET", "foo", "bar"]).starts_with("MOVED 12182"));
    assert_eq!(cluster.node(2).cli(&["SET", "foo", "bar"]), "OK");
    cluster.move_slot(12_182, 2, 0);
    assert_eq!(cluster.node(0).cli(&["GET", "foo"]), "bar");
}

#[test]
fn a_killed_primary_is_replaced_by_its_replica() {
    let mut pair = RedisSentinel::start();
    assert_eq!(pair.first().cli(&["SET", "followed", "yes"]), "OK");
    pair.second().wait_for(&["GET", "followed"], |value| value == "yes");
    pair.cut_replication();
    assert_eq!(pair.first().cli(&["SET", "lost", "yes"]), "OK");
    pair.kill_first();
    pair.wait_for_second();
    assert_eq!(pair.second().cli(&["MGET", "followed", "lost"]), "yes");
}

#[test]
fn two_servers_change_places() {
    let pair = RedisSentinel::start();
    pair.change_places();
    pair.wait_for_second();
    assert!(pair.first().cli(&["SET", "name", "value"]).starts_with("READONLY"));
}

#[test]
fn a_proxy_loses_one_answer_and_cuts_that_line_only() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    let mut lines = [0, 1].map(|_| TcpStream::connect(("127.0.0.1", proxy.port())).expect("the proxy listens"));
    proxy.swallow_answers_to("INCR", 1);
    let mut answer = [0_u8; 16];
    lines[0].write_all(b"INCR n\r\n").expect("the line is open");
    assert_eq!(lines[0].read(&mut answer).expect("the line is closed in order"), 0, "the answer is lost and the line cut");
    assert_eq!(server.cli(&["GET", "n"]), "1");
    lines[1].write_all(b"INCR n\r\n").expect("the line is open");
    let read = lines[1].read(&mut answer).expect("the other line is open");
    assert_eq!(&answer[..read], b":2\r\n");
}
