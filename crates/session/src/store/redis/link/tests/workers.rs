use std::sync::{Arc, Barrier};
use std::thread;

use countersign_testing::redis::RedisServer;
use tokio::runtime::{Builder, Runtime};

use super::{HOME, add, open_to};

/// How many connections take steps.
fn lines(server: &RedisServer) -> usize {
    server.cli(&["CLIENT", "LIST", "TYPE", "normal"]).lines().filter(|line| line.contains("cmd=evalsha")).count()
}

fn main_runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime can be made")
}

#[test]
fn each_worker_has_a_connection_of_its_own_that_goes_when_it_ends() {
    let server = RedisServer::start();
    let main = main_runtime();
    let entered = main.enter();
    let link = Arc::new(open_to(&server));
    let (worked, end) = (Arc::new(Barrier::new(4)), Arc::new(Barrier::new(4)));
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let (link, worked, end) = (Arc::clone(&link), Arc::clone(&worked), Arc::clone(&end));
            thread::spawn(move || {
                let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
                runtime.block_on(async {
                    let (first, second) = tokio::join!(add(&link, HOME), add(&link, HOME));
                    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
                });
                worked.wait();
                end.wait();
            })
        })
        .collect();
    worked.wait();
    assert_eq!((lines(&server), server.cli(&["GET", "{p07wp}sum"]).as_str()), (3, "6"));
    end.wait();
    assert!(workers.into_iter().all(|worker| worker.join().is_ok()));
    server.wait_for(&["CLIENT", "LIST", "TYPE", "normal"], |list| !list.contains("cmd=evalsha"));
    drop(entered);
}

#[test]
fn a_thread_whose_runtime_was_replaced_gets_another_connection() {
    let server = RedisServer::start();
    let main = main_runtime();
    let link = {
        let _entered = main.enter();
        open_to(&server)
    };
    for sum in 1..=3 {
        let worker = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
        assert_eq!(worker.block_on(add(&link, HOME)), Ok(sum));
    }
    let evals = server.calls("evalsha");
    assert_eq!(evals, 3, "no call met the connection of a runtime that was gone");
}
