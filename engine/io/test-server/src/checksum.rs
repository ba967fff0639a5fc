//! Checksums and what stands for an etag.

use std::hash::{DefaultHasher, Hasher};

/// An etag: the same for the same bytes.
pub(crate) fn etag(bytes: &[u8]) -> String {
    let hash = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(salt);
        hasher.write(bytes);
        hasher.finish()
    };
    format!("\"{:016x}{:016x}\"", hash(0), hash(1))
}

/// CRC-32 as `x-amz-checksum-crc32` has it: big endian, in base64.
pub(crate) fn crc32(bytes: &[u8]) -> String {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (0_u32.wrapping_sub(crc & 1)));
        }
    }
    base64((!crc).to_be_bytes())
}

fn base64(bytes: [u8; 4]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let number = u64::from(u32::from_be_bytes(bytes)) << 4;
    let digits = (0..6)
        .rev()
        .map(|place| DIGITS[(number >> (6 * place)) as usize & 63]);
    let mut text: String = digits.map(char::from).collect();
    text.push_str("==");
    text
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn crc32_of_the_check_text() {
        // 0xcbf43926, as every table of CRCs has it.
        assert_eq!(crc32(b"123456789"), "y/Q5Jg==");
    }
}
