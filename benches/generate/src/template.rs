//! Text with holes, such as `/users/<user>/orders`, read once and filled often.

/// Text whose holes hold values of a kind `H`.
pub(crate) struct Template<H> {
    pieces: Vec<Piece<H>>,
}

enum Piece<H> {
    Text(&'static str),
    Hole(H),
}

impl<H: Copy> Template<H> {
    /// Reads a template. What is between `<` and `>` and is not the name of a hole stays text.
    pub(crate) fn parse(text: &'static str, hole: impl Fn(&str) -> Option<H>) -> Self {
        let mut pieces = Vec::new();
        for part in text.split_inclusive('>') {
            let named = part
                .strip_suffix('>')
                .and_then(|part| part.rsplit_once('<'));
            match named.and_then(|(before, name)| Some((before, hole(name)?))) {
                Some((before, hole)) => pieces.extend([Piece::Text(before), Piece::Hole(hole)]),
                None => pieces.push(Piece::Text(part)),
            }
        }
        Self { pieces }
    }

    /// Appends the text; the function appends what goes into a hole.
    pub(crate) fn fill(&self, out: &mut Vec<u8>, mut hole: impl FnMut(&mut Vec<u8>, H)) {
        for piece in &self.pieces {
            match *piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Hole(kind) => hole(out, kind),
            }
        }
    }
}

/// The kinds of holes and their names in templates.
macro_rules! holes {
    ($(#[$attribute:meta])* $kind:ident { $($hole:ident = $name:literal,)* }) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $kind { $($hole,)* }

        impl $kind {
            pub(super) fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$hole),)*
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use holes;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_and_the_rest_stays() {
        let filled = |text| {
            let template = Template::parse(text, |name| (name == "a").then_some('a'));
            let mut out = Vec::new();
            template.fill(&mut out, |out, hole| out.push(hole as u8));
            String::from_utf8_lossy(&out).into_owned()
        };
        for (text, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("<a>", "a"),
            ("x<a>y<a>", "xaya"),
            ("1 < 2 > <a>!", "1 < 2 > a!"),
            ("<b><a", "<b><a"),
        ] {
            assert_eq!(filled(text), expected, "{text}");
        }
    }
}
