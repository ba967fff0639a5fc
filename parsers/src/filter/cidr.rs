//! Networks in CIDR notation (RFC 4632, RFC 4291).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

/// A block of addresses: `10.0.0.0/8`, `2001:db8::/32`. Bits behind the prefix do not matter.
///
/// IPv4 addresses that are written as IPv6 (`::ffff:10.0.0.1`) are IPv4 addresses, as in Trino.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    network: u128,
    mask: u128,
    is_ipv4: bool,
}

/// Bits that stand before the 32 of an IPv4 address in the 128 of both families.
const IPV4_OFFSET: u32 = 96;

impl Cidr {
    /// Whether the text of an address is that of one in this block; None if it is no address.
    #[inline]
    pub fn contains(&self, address: &[u8]) -> Option<bool> {
        let (bits, is_ipv4) = match ipv4(address) {
            Some(address) => (u128::from(address), true),
            None => bits(std::str::from_utf8(address).ok()?.parse().ok()?),
        };
        Some(is_ipv4 == self.is_ipv4 && bits & self.mask == self.network)
    }
}

impl FromStr for Cidr {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, prefix) = text.split_once('/').ok_or(())?;
        let address: IpAddr = address.parse().map_err(|_| ())?;
        if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(());
        }
        let prefix: u32 = prefix.parse().map_err(|_| ())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        if prefix > width {
            return Err(());
        }
        let (bits, is_ipv4) = bits(address);
        // The prefix of a mapped address counts the bits before the IPv4 one.
        let prefix = match (address, is_ipv4) {
            (IpAddr::V6(_), true) => prefix.checked_sub(IPV4_OFFSET).ok_or(())?,
            _ => prefix,
        };
        let width = if is_ipv4 { 32 } else { 128 };
        let all = u128::MAX >> (128 - width);
        let mask = all & u128::MAX.checked_shl(width - prefix).unwrap_or(0);
        Ok(Self {
            network: bits & mask,
            mask,
            is_ipv4,
        })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = self.mask.count_ones();
        if self.is_ipv4 {
            write!(f, "{}/{prefix}", Ipv4Addr::from_bits(self.network as u32))
        } else {
            write!(
                f,
                "{}/{prefix}",
                std::net::Ipv6Addr::from_bits(self.network)
            )
        }
    }
}

/// The bits of an address, and whether it is one of IPv4.
fn bits(address: IpAddr) -> (u128, bool) {
    match address.to_canonical() {
        IpAddr::V4(address) => (u128::from(address.to_bits()), true),
        IpAddr::V6(address) => (address.to_bits(), false),
    }
}

/// The bits of a dotted quad, written as [`Ipv4Addr`] reads it: no leading zeros, no blanks.
///
/// All bytes are in one word, and the places of the dots are found at once: a loop over the bytes
/// would guess wrong at nearly every dot.
#[inline]
fn ipv4(text: &[u8]) -> Option<u32> {
    const ONES: u128 = u128::MAX / 0xff;
    let length = text.len();
    if !(7..=15).contains(&length) {
        return None;
    }
    let word = word(text);
    let present = (1 << (8 * length)) - 1;
    let dots = zero_bytes(word ^ (ONES * u128::from(b'.'))) & present;
    let digits = (word ^ (ONES * u128::from(b'0'))) & present;
    // A byte above 9 that is no dot has its high bit set, or gets it.
    let above = ((digits + ONES * 0x76) | digits) & (ONES << 7) & present;
    if dots.count_ones() != 3 || above & !dots != 0 {
        return None;
    }
    let (mut address, mut start, mut rest) = (0, 0, dots);
    for _ in 0..3 {
        let end = rest.trailing_zeros() / 8;
        address = address << 8 | octet(digits, start, end)?;
        start = end + 1;
        rest &= rest - 1;
    }
    Some(address << 8 | octet(digits, start, length as u32)?)
}

/// The bytes of a text of 7 to 15 bytes, the first one lowest.
#[inline]
fn word(text: &[u8]) -> u128 {
    let length = text.len();
    let (first, last) = match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => {
            let mut bytes = [0; 8];
            bytes[..length].copy_from_slice(text);
            return u128::from(u64::from_le_bytes(bytes));
        }
    };
    // Those of the last that the first holds already are the same there.
    u128::from(first) | u128::from(last) << (8 * (length - 8))
}

/// The high bit of each byte that is zero.
#[inline]
fn zero_bytes(word: u128) -> u128 {
    const LOW_BITS: u128 = u128::MAX / 0xff * 0x7f;
    !(((word & LOW_BITS) + LOW_BITS) | word | LOW_BITS)
}

/// The number of one to three digits; none has a zero before it.
#[inline]
fn octet(digits: u128, start: u32, end: u32) -> Option<u32> {
    let length = end - start;
    if !(1..=3).contains(&length) {
        return None;
    }
    let digits = (digits >> (8 * start)) as u32 & ((1 << (8 * length)) - 1);
    if length > 1 && digits & 0xff == 0 {
        return None;
    }
    // Right-aligned: hundreds, tens, ones.
    let digits = digits << (8 * (3 - length));
    let value = (digits & 0xff) * 100 + (digits >> 8 & 0xff) * 10 + (digits >> 16);
    (value < 256).then_some(value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn contains(cidr: &str, address: &str) -> Option<bool> {
        cidr.parse::<Cidr>().unwrap().contains(address.as_bytes())
    }

    #[test]
    fn addresses_in_and_out_of_networks() {
        let rows = [
            ("10.0.0.0/8", "10.1.2.3", Some(true)),
            ("10.0.0.0/8", "11.1.2.3", Some(false)),
            ("10.1.2.3/8", "10.255.255.255", Some(true)),
            ("0.0.0.0/0", "255.255.255.255", Some(true)),
            ("0.0.0.0/0", "::1", Some(false)),
            ("192.0.2.7/32", "192.0.2.7", Some(true)),
            ("192.0.2.7/32", "192.0.2.8", Some(false)),
            ("10.0.0.0/8", "::ffff:10.0.0.1", Some(true)),
            ("::ffff:10.0.0.0/104", "10.0.0.1", Some(true)),
            ("2001:db8::/32", "2001:db8:1::9", Some(true)),
            ("2001:db8::/32", "2001:db9::9", Some(false)),
            ("::/0", "2001:db9::9", Some(true)),
            ("10.0.0.0/8", "10.0.0", None),
            ("10.0.0.0/8", "10.0.0.1 ", None),
            ("10.0.0.0/8", "-", None),
            ("10.0.0.0/8", "", None),
        ];
        for (cidr, address, expected) in rows {
            assert_eq!(contains(cidr, address), expected, "{address} in {cidr}");
        }
    }

    #[test]
    fn what_is_no_network() {
        for text in [
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0/8",
            "x/8",
            "::/129",
            "::ffff:10.0.0.0/8",
            "/8",
        ] {
            assert_eq!(text.parse::<Cidr>(), Err(()), "{text}");
        }
    }

    #[test]
    fn shown_as_the_network_it_is() {
        for (text, shown) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("2001:db8::1/32", "2001:db8::/32"),
        ] {
            assert_eq!(text.parse::<Cidr>().unwrap().to_string(), shown);
        }
    }

    proptest! {
        #[test]
        fn dotted_quads_are_what_the_standard_library_takes(text in "[0-9]{1,4}(\\.[0-9]{0,4}){2,4}|[0-9.x]{0,16}") {
            let expected = text.parse::<Ipv4Addr>().ok().map(Ipv4Addr::to_bits);
            prop_assert_eq!(ipv4(text.as_bytes()), expected);
        }

        #[test]
        fn containment_is_the_comparison_of_prefixes(network in any::<u32>(), address in any::<u32>(), prefix in 0_u32..=32) {
            let cidr: Cidr = format!("{}/{prefix}", Ipv4Addr::from_bits(network)).parse().unwrap();
            for address in [address, network ^ (address & 1), network] {
                let same = prefix == 0 || (network ^ address) >> (32 - prefix) == 0;
                let text = Ipv4Addr::from_bits(address).to_string();
                prop_assert_eq!(cidr.contains(text.as_bytes()), Some(same));
            }
        }
    }
}
