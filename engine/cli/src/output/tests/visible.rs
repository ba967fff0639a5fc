use crate::output::visible::{is_unseen, visible};

#[test]
fn what_cannot_be_seen_is_escaped() {
    let cases = [
        ("", ""),
        ("plain ~ text", "plain ~ text"),
        ("\0\x1b\x7f", r"\x00\x1b\x7f"),
        ("\n\r\t", r"\n\r\t"),
        ("\u{80}\u{9b}", r"\u{80}\u{9b}"),
        (
            "\u{202e}\u{2066}\u{feff}\u{e0001}",
            r"\u{202e}\u{2066}\u{feff}\u{e0001}",
        ),
        // A joiner inside an emoji, and scripts from right to left, are text.
        ("👩\u{200d}💻 שלום", "👩\u{200d}💻 שלום"),
        (r"a\nb", r"a\nb"),
    ];
    for (text, expected) in cases {
        assert_eq!(visible(text), expected);
    }
}

#[test]
fn all_controls_are_unseen() {
    assert!(
        (0..0x20)
            .chain(0x7f..0xa0)
            .filter_map(char::from_u32)
            .all(is_unseen)
    );
    assert!(!(' '..='~').any(is_unseen));
}
