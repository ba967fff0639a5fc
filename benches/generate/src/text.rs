//! Values to text without `fmt`: formatting through its machinery would take most of the time.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};

pub(crate) fn push(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

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

/// Appends the last so many decimal digits of a number.
pub(crate) fn push_padded(out: &mut Vec<u8>, number: u64, digits: usize) {
    let start = out.len();
    out.resize(start + digits, b'0');
    let mut rest = number;
    for digit in out[start..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
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
        for number in [0, 7, 999_999] {
            let mut out = Vec::new();
            push_padded(&mut out, number, 6);
            assert_eq!(out, format!("{number:06}").into_bytes());
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
