//! What fills the gaps in an event's JSON.

use std::net::Ipv4Addr;

use super::Place;
use super::principal::{PEOPLE, ROLES, push_access_key};
use crate::calendar::{Minute, push_seconds};
use crate::ids::{push_capitals, push_hex, push_letters, push_uuid};
use crate::random::{Random, Subject};
use crate::template::holes;
use crate::text::{push, push_address, push_decimal, push_padded};
use crate::zipf::Zipf;

holes! {
    /// A gap in an event's JSON.
    Value {
        Account = "account",
        Region = "region",
        Bucket = "bucket",
        Key = "key",
        Instance = "instance",
        Group = "group",
        Subnet = "subnet",
        Vpc = "vpc",
        Image = "image",
        Kms = "kms",
        Function = "function",
        Database = "database",
        Role = "role",
        RoleId = "role-id",
        Person = "person",
        Session = "session",
        AccessKey = "access-key",
        Port = "port",
        Cidr = "cidr",
        Ip = "ip",
        DashedIp = "dashed",
        Token = "token",
        Uuid = "uuid",
        Hex = "hex",
        Number = "number",
        Expiry = "expiry",
        Time = "time",
        Millis = "millis",
    }
}

const BUCKETS: [&str; 6] = ["logs", "assets", "exports", "backups", "lake", "invoices"];

/// As JSON has them.
const KEYS: [&str; 6] = [
    "daily/part-",
    "AWSLogs/flow/",
    "images/thumb_",
    "reports/Übersicht ",
    "tmp/\\\"draft\\\" ",
    "models/v3/shard=",
];
const FUNCTIONS: [&str; 8] = [
    "resize-image",
    "send-mail",
    "rotate-secret",
    "index-order",
    "nightly-report",
    "webhook",
    "authorizer",
    "stream-to-lake",
];
const DATABASES: [&str; 3] = ["orders", "users", "billing"];

/// Some who open a group open it to everybody.
const CIDRS: [(u32, &str); 4] = [
    (50, "10.0.0.0/8"),
    (25, "203.0.113.0/24"),
    (15, "198.51.100.17/32"),
    (10, "0.0.0.0/0"),
];
const PORTS: [(u32, u64); 5] = [(50, 443), (20, 22), (15, 5432), (10, 8080), (5, 3389)];

/// The values of all gaps: few resources take part in most events.
pub(super) struct Values {
    seed: u64,
    few: Zipf,
    many: Zipf,
}

/// The event whose gaps are filled.
#[derive(Clone, Copy)]
pub(super) struct Subjects<'a> {
    pub(super) place: &'a Place,
    /// Unix seconds.
    pub(super) time: u64,
    /// A gap of the same name holds the same wherever the event has it.
    pub(super) key: u64,
}

impl Values {
    /// Values for about so many events.
    pub(super) fn new(seed: u64, rows: u64) -> Self {
        Self {
            seed,
            few: Zipf::new(40),
            many: Zipf::new((rows / 20).clamp(100, 100_000)),
        }
    }

    pub(super) fn push(&self, out: &mut Vec<u8>, value: Value, subjects: &Subjects<'_>) {
        let random = &mut Random::keyed(subjects.key, Subject::Resource, value as u64);
        let few = &self.few;
        match value {
            Value::Account => push(out, &subjects.place.account),
            Value::Region => push(out, subjects.place.region),
            Value::Bucket => {
                push(out, "example-");
                let rank = few.sample(random);
                push(out, BUCKETS[rank as usize % BUCKETS.len()]);
                out.push(b'-');
                push_decimal(out, rank);
            }
            Value::Key => {
                push(out, random.one_of(&KEYS));
                push_hex(out, self.many.sample(random), 8);
                push(out, ".parquet");
            }
            Value::Instance => self.push_resource(out, "i", value, random),
            Value::Group => self.push_resource(out, "sg", value, random),
            Value::Subnet => self.push_resource(out, "subnet", value, random),
            Value::Vpc => self.push_resource(out, "vpc", value, random),
            Value::Image => self.push_resource(out, "ami", value, random),
            Value::Kms => {
                let rank = few.sample(random);
                push_uuid(out, &mut Random::keyed(self.seed, Subject::Resource, rank));
            }
            Value::Function => push(
                out,
                FUNCTIONS[few.sample(random) as usize % FUNCTIONS.len()],
            ),
            Value::Database => push(out, random.one_of(&DATABASES)),
            Value::Role => push(out, ROLES[few.sample(random) as usize % ROLES.len()]),
            Value::RoleId => {
                push(out, "AROAEXAMPLE");
                push_capitals(out, random, 10);
            }
            Value::Person => push(out, random.one_of(&PEOPLE)),
            Value::Session => {
                push(out, "session-");
                push_decimal(out, random.between(100_000, 999_999));
            }
            Value::AccessKey => push_access_key(out, random),
            Value::Port => push_decimal(out, random.weighted(&PORTS)),
            Value::Cidr => push(out, random.weighted(&CIDRS)),
            Value::Ip => push_address(out, private_address(subjects.key).into()),
            Value::DashedIp => {
                let start = out.len();
                push_address(out, private_address(subjects.key).into());
                for byte in out[start..].iter_mut().filter(|byte| **byte == b'.') {
                    *byte = b'-';
                }
            }
            Value::Token => push_letters(out, random, 76),
            Value::Uuid => push_uuid(out, random),
            Value::Hex => push_hex(out, random.next(), 16),
            Value::Number => push_decimal(out, (400.0 * random.pareto()) as u64),
            Value::Expiry => push_english(out, subjects.time + 3_600),
            Value::Time => push_seconds(out, subjects.time),
            Value::Millis => push_decimal(out, subjects.time * 1_000),
        }
    }

    /// The id of one of the resources of a kind.
    fn push_resource(&self, out: &mut Vec<u8>, prefix: &str, kind: Value, random: &mut Random) {
        let key = (kind as u64) << 32 | self.many.sample(random);
        push(out, prefix);
        push(out, "-0");
        let id = Random::keyed(self.seed, Subject::Resource, key).next();
        push_hex(out, id, 16);
    }
}

fn private_address(key: u64) -> Ipv4Addr {
    let [a, b, c, ..] = key.to_le_bytes();
    Ipv4Addr::new(10, a, b, c)
}

/// Appends `Jan 5, 2026, 1:00:00 PM`, as some services write times.
fn push_english(out: &mut Vec<u8>, unix_seconds: u64) {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let time = Minute::of(unix_seconds);
    push(out, MONTHS[(time.month as usize + 11) % 12]);
    out.push(b' ');
    push_decimal(out, time.day);
    push(out, ", ");
    push_decimal(out, time.year);
    push(out, ", ");
    push_decimal(out, (time.hour + 11) % 12 + 1);
    for number in [time.minute, unix_seconds % 60] {
        out.push(b':');
        push_padded(out, number, 2);
    }
    push(out, if time.hour < 12 { " AM" } else { " PM" });
}

#[cfg(test)]
mod tests {
    use super::push_english;

    #[test]
    fn english_times() {
        for (seconds, expected) in [
            (1_767_571_200, "Jan 5, 2026, 12:00:00 AM"),
            (1_767_617_999, "Jan 5, 2026, 12:59:59 PM"),
            (1_767_646_805, "Jan 5, 2026, 9:00:05 PM"),
            (1_767_225_599, "Dec 31, 2025, 11:59:59 PM"),
        ] {
            let mut out = Vec::new();
            push_english(&mut out, seconds);
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }
}
