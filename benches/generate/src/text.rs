//! Values to text without `fmt`: formatting through its machinery would take most of the time.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};

/// Appends a number in decimal.
pub(crate) fn push_decimal(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0u8; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}

/// Appends an address as RFC 5952 and AWS write it.
pub(crate) fn push_address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => push_ipv4(out, address),
        IpAddr::V6(address) => {
            // Seldom enough for `fmt`; writing to a vector cannot fail.
            let _ = write!(out, "{address}");
        }
    }
}

fn push_ipv4(out: &mut Vec<u8>, address: Ipv4Addr) {
    let mut separator = false;
    for octet in address.octets() {
        if separator {
            out.push(b'.');
        }
        separator = true;
        if octet >= 100 {
            out.push(b'0' + octet / 100);
        }
        if octet >= 10 {
            out.push(b'0' + octet / 10 % 10);
        }
        out.push(b'0' + octet % 10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_equals_fmt() {
        for number in [0, 1, 9, 10, 99, 100, 4_294_967_296, u64::MAX] {
            let mut out = Vec::new();
            push_decimal(&mut out, number);
            assert_eq!(out, number.to_string().into_bytes());
        }
        for address in [
            "0.0.0.0",
            "10.9.100.255",
            "255.20.3.199",
            "2600:1f18::a:0:1",
        ] {
            let mut out = Vec::new();
            push_address(&mut out, address.parse().expect("an address"));
            assert_eq!(out, address.as_bytes());
        }
    }
}
