//! What is refused before a stream is used: servers, settings, durability.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod beds;

use async_nats::jetstream::{self, stream};
use beds::{Beds, blocks};
use chl_log::EventLog;
use chl_log_nats::{Access, ConnectError, Connection, NatsLog, OpenError, Synced};
use chl_nats_servers::{Servers, Shape};
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    time::Duration,
};

/// A change to a stream's settings that must be refused, and the setting that is named.
type Change = (&'static str, fn(&mut stream::Config));

const CHANGES: [Change; 15] = [
    ("subjects", |config| config.subjects.push("another.subject".to_owned())),
    ("storage", |config| config.storage = stream::StorageType::Memory),
    ("retention", |config| config.retention = stream::RetentionPolicy::Interest),
    ("discard", |config| config.discard = stream::DiscardPolicy::Old),
    ("deny_delete", |config| config.deny_delete = false),
    ("deny_purge", |config| config.deny_purge = false),
    ("max_bytes", |config| config.max_bytes = 1 << 30),
    ("max_msgs", |config| config.max_messages = 1_000_000),
    ("max_msgs_per_subject", |config| config.max_messages_per_subject = 1_000_000),
    ("max_consumers", |config| config.max_consumers = 10),
    ("max_age", |config| config.max_age = Duration::from_secs(86400)),
    ("max_msg_size", |config| config.max_message_size = 65536),
    ("no_ack", |config| config.no_ack = true),
    ("allow_msg_ttl", |config| config.allow_message_ttl = true),
    ("persist_mode: async", |config| {
        config.persist_mode = Some(stream::PersistenceMode::Async);
    }),
];

#[test]
fn a_stream_that_could_lose_a_block_is_refused_and_left_as_it_is() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let beds = Beds::new(&servers, 1);
    let model = beds.options();
    drop(NatsLog::open(&beds.connection, &model).unwrap());
    let good = beds.config(&model);
    for (field, change) in CHANGES {
        let options = beds.options();
        let mut config = good.clone();
        (config.name, config.subjects) = (options.stream.clone(), vec![options.subject.clone()]);
        change(&mut config);
        beds.make(config);
        let made = beds.config(&options);
        match NatsLog::open(&beds.connection, &options) {
            Err(OpenError::Mismatch(mismatch)) => {
                assert_eq!((mismatch.field, mismatch.stream.as_str()), (field, made.name.as_str()));
            }
            other => panic!("{field}: {:?}", other.map(|log| log.head())),
        }
        assert_eq!(beds.config(&options), made, "{field}");
    }
    let mut three = model.clone();
    three.replicas = 3;
    let refused = NatsLog::open(&beds.connection, &three).map(|log| log.head()).unwrap_err();
    assert!(
        matches!(&refused, OpenError::Mismatch(mismatch) if mismatch.field == "num_replicas"),
        "{refused}"
    );
}

#[test]
fn a_stream_that_has_lost_messages_is_refused() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let beds = Beds::new(&servers, 1);
    // The first, one in the middle, and all: deleted by somebody who changed the settings for it.
    for lost in [1..2, 5..6, 1..11] {
        let options = beds.options();
        let mut log = NatsLog::open(&beds.connection, &options).unwrap();
        log.append(0, &blocks(&log.chain(), 10, 1)).unwrap();
        drop(log);
        let good = beds.config(&options);
        let loose = stream::Config { deny_delete: false, ..good.clone() };
        // Servers let nobody take the denial back: a stream without it is made in its place.
        beds.replace(loose, lost);
        beds.tighten(&options);
        let refused = NatsLog::open(&beds.connection, &options).map(|log| log.head());
        let refused = refused.unwrap_err();
        assert!(matches!(&refused, OpenError::Mismatch(_)), "{refused}");
    }
}

#[test]
fn only_what_is_synced_is_called_durable_without_a_word() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let beds = Beds::new(&servers, 1);
    let mut options = beds.options();
    assert_eq!(NatsLog::open(&beds.connection, &options).unwrap().synced(), Synced::Always);
    options.monitors.clear();
    let unseen = NatsLog::open(&beds.connection, &options).map(|log| log.head()).unwrap_err();
    assert!(matches!(unseen, OpenError::NotDurable { .. }), "{unseen}");
    options.accept_unsynced = true;
    assert_eq!(NatsLog::open(&beds.connection, &options).unwrap().synced(), Synced::Unseen);
}

#[test]
fn a_lazy_server_is_not_called_durable() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("lazy.conf");
    let text = "server_name: $CHL_NATS_NAME\nlisten: $CHL_NATS_LISTEN\nhttp: $CHL_NATS_MONITOR\n\
                jetstream { store_dir: $CHL_NATS_STORE }\n";
    std::fs::write(&config, text).unwrap();
    let Some(servers) = Servers::start_with(&config, 1, &[]).unwrap() else { return };
    let beds = Beds::new(&servers, 1);
    let mut options = beds.options();
    let refused = NatsLog::open(&beds.connection, &options).map(|log| log.head()).unwrap_err();
    assert!(matches!(refused, OpenError::NotDurable { .. }), "{refused}");
    options.accept_unsynced = true;
    assert_eq!(NatsLog::open(&beds.connection, &options).unwrap().synced(), Synced::Lazily);
}

#[test]
fn a_stream_that_is_not_there_is_not_made_by_accident() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let beds = Beds::new(&servers, 1);
    let mut options = beds.options();
    options.create = None;
    let refused = NatsLog::open(&beds.connection, &options).map(|log| log.head()).unwrap_err();
    assert!(matches!(refused, OpenError::NotFound { .. }), "{refused}");
    // Two nodes make it at once, each with an id of its own: one ledger comes of it.
    let nodes = [[1; 16], [2; 16]].map(|id| {
        let mut options = options.clone();
        options.create = Some(chl_events::LedgerId(id));
        let connection = beds.connection.clone();
        std::thread::spawn(move || NatsLog::open(&connection, &options).unwrap().head())
    });
    let [first, second] = nodes.map(|node| node.join().unwrap());
    assert_eq!(first, second);
    // From then on it is there, for whoever asks without an id.
    assert_eq!(NatsLog::open(&beds.connection, &options).unwrap().head(), first);
}

/// Speaks just enough of the protocol to be taken for a server of a version.
fn old_server(version: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let info = format!(
        "INFO {{\"server_id\":\"X\",\"version\":\"{version}\",\"proto\":1,\"headers\":true,\
         \"max_payload\":1048576,\"jetstream\":true,\"host\":\"127.0.0.1\",\"port\":{}}}\r\n",
        address.port()
    );
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut answers = stream.try_clone().unwrap();
            answers.write_all(info.as_bytes()).unwrap();
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if line == "PING" && answers.write_all(b"PONG\r\n").is_err() {
                    break;
                }
            }
        }
    });
    format!("nats://{address}")
}

#[test]
fn a_server_whose_fences_do_not_hold_is_refused_with_the_reason() {
    for version in ["2.9.10", "2.11.4", "2.12.2"] {
        let access = Access::new(vec![old_server(version)], "a test");
        let refused = Connection::open(&access).map(|_| ()).unwrap_err();
        assert!(matches!(&refused, ConnectError::TooOld(old) if old.found == version), "{refused}");
        assert!(refused.to_string().contains("fence"), "{refused}");
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let access = Access::new(vec![format!("nats://{nobody}")], "a test");
    let refused = Connection::open(&access).map(|_| ()).unwrap_err();
    assert!(matches!(refused, ConnectError::Connect { .. }), "{refused}");
}

/// JetStream as somebody else uses it.
impl Beds {
    fn jetstream<T: Send + 'static, F>(&self, work: impl FnOnce(jetstream::Context) -> F) -> T
    where
        F: Future<Output = T> + Send + 'static,
    {
        let client = self.connection.client();
        let (sender, receiver) = std::sync::mpsc::channel();
        let context = self.connection.wait(async move { sender.send(jetstream::new(client)) });
        context.unwrap().unwrap();
        self.connection.wait(work(receiver.recv().unwrap())).unwrap()
    }

    fn config(&self, options: &chl_log_nats::Options) -> stream::Config {
        let name = options.stream.clone();
        self.jetstream(async move |jetstream| {
            jetstream.get_stream(name).await.unwrap().get_info().await.unwrap().config
        })
    }

    fn make(&self, config: stream::Config) {
        self.jetstream(async move |jetstream| {
            jetstream.create_stream(config).await.unwrap();
        });
    }

    /// Makes the stream anew with the same messages, and then deletes some of them.
    fn replace(&self, config: stream::Config, lost: std::ops::Range<u64>) {
        self.jetstream(async move |jetstream| {
            let old = jetstream.get_stream(&config.name).await.unwrap();
            let last = old.get_info().await.unwrap().state.last_sequence;
            let mut messages = Vec::new();
            for sequence in 1..=last {
                messages.push(old.get_raw_message(sequence).await.unwrap().payload);
            }
            let subject = config.subjects.first().unwrap().clone();
            jetstream.delete_stream(&config.name).await.unwrap();
            let new = jetstream.create_stream(config).await.unwrap();
            for message in messages {
                jetstream.publish(subject.clone(), message).await.unwrap().await.unwrap();
            }
            for sequence in lost {
                new.delete_message(sequence).await.unwrap();
            }
        });
    }

    /// Denies deletes again.
    fn tighten(&self, options: &chl_log_nats::Options) {
        let mut config = self.config(options);
        config.deny_delete = true;
        self.jetstream(async move |jetstream| {
            jetstream.update_stream(config).await.unwrap();
        });
    }
}
