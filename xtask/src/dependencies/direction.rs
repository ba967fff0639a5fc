//! Which crates of the workspace may know which, and what some of them must never know.

use super::graph::{Graph, Package};

/// What a crate of the workspace may depend on. What is not listed is not allowed.
struct Rule {
    name: &'static str,
    /// Crates of the workspace that it may be built from.
    uses: &'static [&'static str],
    /// Crates of the workspace that its tests may use besides.
    tests_use: &'static [&'static str],
    /// Packages that it must not be built from, not even through others. A name that ends in `*`
    /// stands for all that start with what is before it.
    never: &'static [&'static str],
}

/// The table in ARCHITECTURE.md, as data.
const RULES: &[Rule] = &[
    Rule {
        name: "loglens-parsers",
        uses: &[],
        tests_use: &[],
        never: &["tokio", "datafusion*", "object_store", "aws-*"],
    },
    Rule {
        name: "loglens-engine",
        uses: &["loglens-parsers"],
        tests_use: &["loglens-generate", "loglens-io"],
        never: &["aws-*", "clap", "indicatif"],
    },
    Rule {
        // It implements the engine's `ObjectSource`.
        name: "loglens-io",
        uses: &["loglens-engine"],
        tests_use: &["loglens-kinesis-server", "loglens-test-server"],
        never: &[],
    },
    Rule {
        // All that is outside reaches it through the engine's traits.
        name: "loglens-stream",
        uses: &["loglens-engine", "loglens-parsers"],
        tests_use: &["loglens-generate"],
        never: &["aws-*", "clap", "indicatif"],
    },
    Rule {
        // It stands for AWS, and must know nothing of those that it is there to test.
        name: "loglens-test-server",
        uses: &[],
        tests_use: &[],
        never: &["datafusion*", "object_store", "aws-*"],
    },
    Rule {
        // The same for Kinesis. The server that it stands before is built with an encoder of AWS's.
        name: "loglens-kinesis-server",
        uses: &["loglens-test-server"],
        tests_use: &[],
        never: &["datafusion*", "object_store", "aws-sdk-*", "aws-config"],
    },
    Rule {
        name: "loglens-queries",
        uses: &[],
        tests_use: &[],
        never: &["tokio", "datafusion*", "aws-*"],
    },
    Rule {
        name: "loglens-generate",
        uses: &["loglens-parsers"],
        tests_use: &[],
        never: &["tokio", "datafusion*", "aws-*"],
    },
    Rule {
        name: "loglens",
        uses: &[
            "loglens-engine",
            "loglens-generate",
            "loglens-io",
            "loglens-parsers",
            "loglens-queries",
            "loglens-stream",
        ],
        tests_use: &["loglens-kinesis-server", "loglens-test-server"],
        never: &[],
    },
    Rule {
        name: "loglens-bench",
        uses: &[
            "loglens",
            "loglens-engine",
            "loglens-generate",
            "loglens-io",
            "loglens-parsers",
            "loglens-queries",
            "loglens-stream",
            "loglens-test-server",
        ],
        tests_use: &[],
        never: &[],
    },
    Rule {
        // The checks must be quick to build, and run when nothing else compiles.
        name: "xtask",
        uses: &[],
        tests_use: &[],
        never: &[],
    },
];

/// Every dependency that the rules do not allow.
pub(crate) fn problems(graph: &Graph) -> Vec<String> {
    let mut problems = Vec::new();
    for member in graph.members() {
        let name = &member.name;
        let Some(rule) = RULES.iter().find(|rule| rule.name == name) else {
            problems.push(format!(
                "{name} has no rule in xtask/src/dependencies/direction.rs"
            ));
            continue;
        };
        problems.extend(edges_against(rule, graph, member));
        problems.extend(packages_against(rule, graph, member));
    }
    problems
}

fn edges_against(rule: &Rule, graph: &Graph, member: &Package) -> Vec<String> {
    member
        .declared
        .iter()
        .filter(|edge| graph.members().any(|other| other.name == edge.name))
        .filter_map(|edge| {
            let name = edge.name.as_str();
            let is_allowed =
                rule.uses.contains(&name) || (edge.is_dev && rule.tests_use.contains(&name));
            let kind = if edge.is_dev { "its tests use" } else { "uses" };
            (!is_allowed).then(|| format!("{} must not: {kind} {name}", rule.name))
        })
        .collect()
}

fn packages_against(rule: &Rule, graph: &Graph, member: &Package) -> Option<String> {
    let found: Vec<&str> = graph
        .built_from(member)
        .into_iter()
        .filter(|name| rule.never.iter().any(|pattern| matches(pattern, name)))
        .collect();
    (!found.is_empty())
        .then(|| format!("{} must not be built from {}", rule.name, found.join(", ")))
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::super::graph::tests::graph;
    use super::*;

    #[test]
    fn what_the_rules_allow_is_no_problem() {
        let graph = graph(
            &["loglens", "loglens-engine", "loglens-io", "loglens-parsers"],
            &[
                ("loglens", "loglens-io", false),
                ("loglens-io", "loglens-engine", false),
                ("loglens-io", "aws-sdk-s3", false),
                ("loglens-engine", "loglens-parsers", false),
                ("loglens-engine", "loglens-io", true),
                ("loglens-engine", "datafusion", false),
                ("datafusion", "tokio", false),
                ("loglens-parsers", "nom", false),
            ],
        );
        assert_eq!(problems(&graph), [""; 0]);
    }

    #[test]
    fn what_the_rules_do_not_allow_is_named() {
        for (edges, expected) in [
            (
                &[("loglens-engine", "loglens-io", false)][..],
                &["loglens-engine must not: uses loglens-io"][..],
            ),
            (
                &[("loglens-parsers", "loglens-engine", true)],
                &["loglens-parsers must not: its tests use loglens-engine"],
            ),
            (
                &[("loglens-parsers", "x", false), ("x", "tokio", false)],
                &["loglens-parsers must not be built from tokio"],
            ),
            (&[("loglens-parsers", "tokio", true)], &[]),
            (
                &[("loglens-engine", "aws-config", false)],
                &["loglens-engine must not be built from aws-config"],
            ),
            (
                &[("loglens-new", "nom", false)],
                &["loglens-new has no rule in xtask/src/dependencies/direction.rs"],
            ),
        ] {
            let members: Vec<&str> = edges
                .iter()
                .flat_map(|(from, to, _)| [*from, *to])
                .filter(|name| name.starts_with("loglens"))
                .collect();
            assert_eq!(problems(&graph(&members, edges)), expected, "{edges:?}");
        }
    }
}
