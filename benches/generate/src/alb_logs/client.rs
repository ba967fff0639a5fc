//! Who asks: browsers, programs, bots, and those who scan for weaknesses.
//!
//! A client is a function of the seed and its rank, so that it recurs without being stored.

use std::net::IpAddr;

use crate::internet::client_address;
use crate::random::{Random, Subject};

/// Somebody who sends requests.
pub(super) struct Client {
    pub(super) address: IpAddr,
    /// As it is logged, with its quotes escaped.
    pub(super) user_agent: &'static str,
    pub(super) tls: Tls,
    /// Whether it speaks HTTP/2 where it can.
    pub(super) http2: bool,
    key: u64,
}

/// What client and load balancer agree on.
#[derive(Clone, Copy)]
pub(super) struct Tls {
    pub(super) cipher: &'static str,
    pub(super) protocol: &'static str,
}

/// A connection of a client's.
pub(super) struct Connection {
    pub(super) port: u16,
    /// Both halves of its id.
    pub(super) id: [u64; 2],
    /// Whether it resumed an earlier TLS session.
    pub(super) resumed: bool,
}

/// Parts per million.
const IPV6: u32 = 80_000;

/// A client opens a new connection about this often.
const CONNECTION_MICROS: u64 = 20_000_000;

/// Scanners have keys above those of all other clients.
const SCANNERS: u64 = 1 << 40;

#[derive(Clone, Copy)]
enum Kind {
    Browser,
    App,
    Program,
    Bot,
}

const KINDS: [(u32, Kind); 4] = [
    (760, Kind::Browser),
    (130, Kind::App),
    (60, Kind::Program),
    (50, Kind::Bot),
];

const BROWSERS: [(u32, &str); 9] = [
    (
        260,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
    ),
    (
        150,
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36",
    ),
    (
        170,
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1",
    ),
    (
        90,
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15",
    ),
    (
        80,
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    ),
    (
        70,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:146.0) Gecko/20100101 Firefox/146.0",
    ),
    (
        60,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0",
    ),
    (
        20,
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ),
    (
        30,
        "Mozilla/5.0 (Linux; Android 15; ExamplePhone 9) AppleWebKit/537.36 (KHTML, like Gecko) ExampleBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36",
    ),
];
const APPS: [&str; 2] = [
    "ExampleShop/7.12.0 (iPhone; iOS 18.6; Scale/3.00)",
    "ExampleShop/7.11.2 (Android 15; okhttp/4.12.0)",
];
const PROGRAMS: [&str; 4] = [
    "python-requests/2.32.5",
    "Go-http-client/2.0",
    "curl/8.15.0",
    "axios/1.12.2",
];
const BOTS: [&str; 4] = [
    "Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example.com/about)",
    "ExampleSearch/1.0 (+https://search.example.net/crawler)",
    "LinkPreview/3.4 (like a browser; fetches titles)",
    "UptimeProbe/2 (region=eu; check=4711)",
];
const SCANNER_AGENTS: [&str; 4] = [
    "Mozilla/5.0 zgrab/0.x",
    "-",
    "scan-everything \\\"hello\\\" (research)",
    "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/535.1 Chrome/13.0.782.112 Safari/535.1",
];

const TLS: [(u32, Tls); 5] = [
    (620, tls13("TLS_AES_128_GCM_SHA256")),
    (160, tls13("TLS_AES_256_GCM_SHA384")),
    (40, tls13("TLS_CHACHA20_POLY1305_SHA256")),
    (140, tls12("ECDHE-RSA-AES128-GCM-SHA256")),
    (40, tls12("ECDHE-RSA-AES256-GCM-SHA384")),
];

const fn tls13(cipher: &'static str) -> Tls {
    Tls {
        cipher,
        protocol: "TLSv1.3",
    }
}

const fn tls12(cipher: &'static str) -> Tls {
    Tls {
        cipher,
        protocol: "TLSv1.2",
    }
}

impl Client {
    /// The client of a rank.
    pub(super) fn of_rank(seed: u64, rank: u64) -> Self {
        let mut random = Random::keyed(seed, Subject::Client, rank);
        let kind = random.weighted(&KINDS);
        let user_agent = match kind {
            Kind::Browser => random.weighted(&BROWSERS),
            Kind::App => random.one_of(&APPS),
            Kind::Program => random.one_of(&PROGRAMS),
            Kind::Bot => random.one_of(&BOTS),
        };
        let http2 = random.chance(match kind {
            Kind::Browser => 950_000,
            Kind::App => 800_000,
            Kind::Program | Kind::Bot => 150_000,
        });
        Self::new(rank, user_agent, http2, &mut random)
    }

    /// The scanner of a rank.
    pub(super) fn scanner(seed: u64, rank: u64) -> Self {
        let key = SCANNERS + rank;
        let mut random = Random::keyed(seed, Subject::Client, key);
        let user_agent = random.one_of(&SCANNER_AGENTS);
        Self::new(key, user_agent, false, &mut random)
    }

    fn new(key: u64, user_agent: &'static str, http2: bool, random: &mut Random) -> Self {
        let ipv6 = random.chance(IPV6);
        Self {
            address: client_address(random, ipv6),
            user_agent,
            tls: random.weighted(&TLS),
            http2,
            key,
        }
    }

    /// The connection that this client uses at a time, in Unix microseconds.
    pub(super) fn connection(&self, seed: u64, unix_micros: u64) -> Connection {
        let key = (unix_micros / CONNECTION_MICROS) << 20 ^ self.key.rotate_right(20);
        let mut random = Random::keyed(seed, Subject::Session, key);
        Connection {
            port: random.between(1_024, 65_535) as u16,
            id: [random.next(), random.next()],
            resumed: random.chance(250_000),
        }
    }
}
