//! Which licences a dependency may be under.
//!
//! A manifest states its licence as an SPDX expression, such as
//! `(MIT OR Apache-2.0) AND Unicode-3.0`. An OR leaves the choice to us, so one side that is
//! allowed is enough; an AND binds both. WITH belongs to the licence before it, and makes another
//! licence of it. AND binds more closely than OR. Old manifests write `MIT/Apache-2.0` for OR.

/// What loglens, itself under Apache-2.0, can be shipped with under no other duty than to pass on
/// the notices. MPL-2.0 and OpenSSL are left out since nothing needs them.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
    // The licence of bzip2, in the manner of Zlib: keep the notice, mark what was changed.
    "bzip2-1.0.6",
];

/// Whether the expression leaves us a choice of licences which are all allowed, or why it is no
/// expression.
pub(crate) fn is_allowed(expression: &str) -> Result<bool, String> {
    let mut tokens = Tokens::of(expression);
    let allowed = any_of(&mut tokens)?;
    match tokens.next() {
        None => Ok(allowed),
        Some(token) => Err(format!("unexpected `{token}`")),
    }
}

/// `all ("OR" all)*`
fn any_of(tokens: &mut Tokens<'_>) -> Result<bool, String> {
    let mut allowed = all_of(tokens)?;
    while tokens.accept("OR") || tokens.accept("/") {
        allowed |= all_of(tokens)?;
    }
    Ok(allowed)
}

/// `one ("AND" one)*`
fn all_of(tokens: &mut Tokens<'_>) -> Result<bool, String> {
    let mut allowed = one(tokens)?;
    while tokens.accept("AND") {
        allowed &= one(tokens)?;
    }
    Ok(allowed)
}

/// `"(" any ")"` or `licence ("WITH" exception)?`
fn one(tokens: &mut Tokens<'_>) -> Result<bool, String> {
    if tokens.accept("(") {
        let allowed = any_of(tokens)?;
        return if tokens.accept(")") {
            Ok(allowed)
        } else {
            Err("a bracket is not closed".to_owned())
        };
    }
    let licence = tokens.identifier()?;
    if tokens.accept("WITH") {
        let exception = tokens.identifier()?;
        return Ok(ALLOWED.contains(&format!("{licence} WITH {exception}").as_str()));
    }
    Ok(ALLOWED.contains(&licence))
}

/// The words and marks of an expression that are still to be read.
struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn of(expression: &'a str) -> Self {
        Self {
            rest: expression.trim_start(),
        }
    }

    fn peek(&self) -> Option<&'a str> {
        let is_mark = |c: char| matches!(c, '(' | ')' | '/');
        let first = self.rest.chars().next()?;
        if is_mark(first) {
            return Some(&self.rest[..first.len_utf8()]);
        }
        let end = self.rest.find(|c: char| is_mark(c) || c.is_whitespace());
        Some(&self.rest[..end.unwrap_or(self.rest.len())])
    }

    fn next(&mut self) -> Option<&'a str> {
        let token = self.peek()?;
        self.rest = self.rest[token.len()..].trim_start();
        Some(token)
    }

    fn accept(&mut self, expected: &str) -> bool {
        let is_next = self.peek() == Some(expected);
        if is_next {
            self.next();
        }
        is_next
    }

    fn identifier(&mut self) -> Result<&'a str, String> {
        match self.next() {
            None => Err("it ends where a licence should be".to_owned()),
            Some(token @ ("(" | ")" | "/" | "OR" | "AND" | "WITH")) => {
                Err(format!("`{token}` where a licence should be"))
            }
            Some(token) => Ok(token),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn or_needs_one_and_needs_all() {
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("mit", false),
            ("MIT OR Apache-2.0", true),
            ("GPL-2.0-only OR MIT", true),
            ("MIT OR GPL-2.0-only", true),
            ("GPL-2.0-only OR AGPL-3.0-only", false),
            ("Apache-2.0 AND MIT", true),
            ("Apache-2.0 AND OpenSSL", false),
            ("MIT/Apache-2.0", true),
            ("MIT / GPL-2.0-only", true),
            ("GPL-2.0-only/AGPL-3.0-only", false),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("(MIT OR GPL-2.0-only) AND OpenSSL", false),
            // AND first: MIT alone is enough here, but not in brackets.
            ("MIT OR ISC AND OpenSSL", true),
            ("(MIT OR ISC) AND OpenSSL", false),
            ("OpenSSL AND ISC OR MIT", true),
            ("((MIT))", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT", true),
            ("MIT AND Apache-2.0 WITH LLVM-exception", true),
            ("GPL-2.0-only WITH Classpath-exception-2.0", false),
            // An exception is another licence, allowed only by name.
            ("MIT WITH Classpath-exception-2.0", false),
        ] {
            assert_eq!(is_allowed(expression), Ok(expected), "{expression}");
        }
    }

    #[test]
    fn what_is_no_expression_is_an_error() {
        for (expression, reason) in [
            ("", "it ends where a licence should be"),
            ("MIT OR", "it ends where a licence should be"),
            ("OR MIT", "`OR` where a licence should be"),
            ("MIT Apache-2.0", "unexpected `Apache-2.0`"),
            ("(MIT", "a bracket is not closed"),
            ("MIT)", "unexpected `)`"),
            ("()", "`)` where a licence should be"),
            ("Apache-2.0 WITH", "it ends where a licence should be"),
        ] {
            assert_eq!(
                is_allowed(expression),
                Err(reason.to_owned()),
                "{expression}"
            );
        }
    }
}
