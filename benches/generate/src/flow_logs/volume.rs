//! How much a conversation carries in a capture window: mostly a few packets, seldom gigabytes.

use super::conversation::{Conversation, ICMP, ICMP_V6, UDP};
use crate::random::Random;

/// What flows in one direction.
#[derive(Clone, Copy)]
pub(super) struct Volume {
    pub(super) packets: u64,
    pub(super) bytes: u64,
}

/// What goes to the server and what comes back.
pub(super) fn volumes(conversation: &Conversation, random: &mut Random) -> [Volume; 2] {
    match conversation.protocol {
        ICMP | ICMP_V6 => {
            let packets = random.between(1, 60);
            [Volume {
                packets,
                bytes: packets * 84,
            }; 2]
        }
        UDP if conversation.server_port != 443 => {
            let packets = random.between(1, 4);
            [
                volume(packets, 58, 90, random),
                volume(packets, 76, 420, random),
            ]
        }
        _ => stream_volumes(conversation.bulk, random),
    }
}

/// One direction carries the data, the other little more than acknowledgements. Downloads are
/// more frequent than uploads.
fn stream_volumes(bulk: bool, random: &mut Random) -> [Volume; 2] {
    /// A minute at 10 Gbit/s holds no more full frames.
    const MOST_PACKETS: f64 = 50_000_000.0;
    let typical = if bulk { 1_000_000.0 } else { 5.0 };
    let packets = (typical * random.pareto()).min(MOST_PACKETS) as u64;
    let data = volume(packets, if bulk { 1_200 } else { 200 }, 1_480, random);
    let rest = volume(packets / 2 + 2, 52, 160, random);
    if random.chance(700_000) {
        [rest, data]
    } else {
        [data, rest]
    }
}

/// A number of packets, of sizes whose mean lies between the two.
fn volume(packets: u64, least: u64, most: u64, random: &mut Random) -> Volume {
    Volume {
        packets,
        bytes: random.between(packets * least, packets * most),
    }
}
