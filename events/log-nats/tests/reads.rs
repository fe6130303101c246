//! Reading while servers go, and what permissions forbid.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod beds;

use beds::{Beds, blocks, commits, holds};
use chl_log::{AppendError, EventLog};
use chl_log_nats::{Access, Connection, Fault, Login, NatsLog, OpenError, PlaceError};
use chl_nats_servers::{Servers, Shape};
use std::{error::Error, time::Duration};

#[test]
fn a_reader_goes_on_when_the_server_it_reads_from_is_killed() {
    let Some(mut servers) = Servers::start(Shape::Three).unwrap() else { return };
    let beds = Beds::new(&servers, 3);
    let mut options = beds.options();
    options.answer_timeout = Duration::from_secs(1);
    let mut log = NatsLog::open(&beds.connection, &options).unwrap();
    for _ in 0..6 {
        let next = log.chain().next();
        log.append(next, &blocks(&log.chain(), 20_000, 50)).unwrap();
    }
    let end = log.head().next;
    for number in 0..3 {
        // More than can wait on the way is still with the servers when one of them goes.
        let mut next = 0;
        for block in log.read(0).unwrap() {
            let block = block.unwrap();
            assert_eq!(block.first(), next);
            next = block.next();
            if block.first() == 0 {
                servers.each().nth(number).unwrap().kill().unwrap();
            }
        }
        assert_eq!(next, end);
        servers.start_all().unwrap();
    }
    assert_eq!(holds(&log), end);
}

#[test]
fn a_reader_waits_for_a_server_that_does_not_answer_for_a_while() {
    let Some(mut servers) = Servers::start(Shape::One).unwrap() else { return };
    let beds = Beds::new(&servers, 1);
    let options = beds.options();
    let mut log = NatsLog::open(&beds.connection, &options).unwrap();
    log.append(0, &blocks(&log.chain(), 100_000, 90)).unwrap();
    let mut read = log.read(0).unwrap();
    assert_eq!(read.next().unwrap().unwrap().first(), 0);
    let server = servers.each().next().unwrap();
    server.pause().unwrap();
    let (count, last) = std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut count = 90;
            let mut last = Vec::new();
            for block in read {
                let block = block.unwrap();
                count += block.count() as u64;
                last = block.commits().last().unwrap().to_vec();
            }
            (count, last)
        });
        // Longer than a consumer may give nothing.
        std::thread::sleep(Duration::from_secs(4));
        server.resume().unwrap();
        reading.join().unwrap()
    });
    assert_eq!((count, last), (100_000, commits(99_999, 1).remove(0)));
}

/// What docs/nats.md says a writer's and a reader's credentials must permit, and nothing else.
const USERS: &str = "server_name: $CHL_NATS_NAME\nlisten: $CHL_NATS_LISTEN\n\
    http: $CHL_NATS_MONITOR\njetstream { store_dir: $CHL_NATS_STORE, sync_interval: always }\n\
    authorization { users: [\n\
    { user: writer, password: w, permissions: { subscribe: \"_INBOX.>\", publish: [\n\
      \"chl.*.log\", \"$JS.API.STREAM.CREATE.*\", \"$JS.API.STREAM.INFO.*\",\n\
      \"$JS.API.STREAM.MSG.GET.*\", \"$JS.API.CONSUMER.CREATE.>\",\n\
      \"$JS.API.CONSUMER.MSG.NEXT.>\", \"$JS.API.CONSUMER.DELETE.>\" ] } }\n\
    { user: reader, password: r, permissions: { subscribe: \"_INBOX.>\", publish: [\n\
      \"$JS.API.STREAM.INFO.*\", \"$JS.API.STREAM.MSG.GET.*\", \"$JS.API.CONSUMER.CREATE.>\",\n\
      \"$JS.API.CONSUMER.MSG.NEXT.>\", \"$JS.API.CONSUMER.DELETE.>\" ] } }\n\
    { user: nobody, password: n, permissions: { subscribe: \"_INBOX.>\",\n\
      publish: { deny: \">\" } } }\n\
    ] }\n";

#[test]
fn what_permissions_forbid_is_named_and_nothing_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("users.conf");
    std::fs::write(&config, USERS).unwrap();
    let Some(servers) = Servers::start_with(&config, 1, &[]).unwrap() else { return };
    let connect = |user: &str, password: &str| {
        let mut access = Access::new(servers.urls(), "a test");
        let (user, password) = (user.to_owned(), password.to_owned());
        access.login = Login::Password { user, password };
        Connection::open(&access)
    };
    assert!(connect("writer", "wrong").is_err());
    let beds = Beds::over(connect("writer", "w").unwrap(), &servers, 1);
    let mut options = beds.options();
    options.answer_timeout = Duration::from_millis(300);
    let mut log = NatsLog::open(&beds.connection, &options).unwrap();
    log.append(0, &blocks(&log.chain(), 10, 2)).unwrap();
    let reader = connect("reader", "r").unwrap();
    let mut read_only = NatsLog::open(&reader, &options).unwrap();
    assert_eq!(holds(&read_only), 10);
    let refused = read_only.append(10, &blocks(&read_only.chain(), 5, 1)).unwrap_err();
    let AppendError::Unavailable(cause) = &refused else { panic!("{refused:?}") };
    let named = matches!(
        cause.downcast_ref::<PlaceError>(),
        Some(PlaceError::Nothing(Fault::Forbidden(what))) if what.contains(&options.subject)
    );
    assert!(named && cause.source().is_some(), "{refused}");
    assert_eq!(holds(&NatsLog::open(&beds.connection, &options).unwrap()), 10);
    let nobody = connect("nobody", "n").unwrap();
    let refused = NatsLog::open(&nobody, &options).map(|log| log.head()).unwrap_err();
    assert!(
        matches!(&refused, OpenError::Unreachable { source: Fault::Forbidden(_), .. }),
        "{refused}"
    );
}
