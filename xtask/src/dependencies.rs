//! `deps`: what the workspace depends on, and how its own crates depend on each other.

mod direction;
mod graph;
mod licence;

use std::collections::{BTreeMap, BTreeSet};

use self::graph::{Graph, Package};
use crate::error::{Error, no_arguments, no_problems};
use crate::workspace::Workspace;

/// The most packages that the `loglens` binary may be built from, on the host.
///
/// Every package is code to trust, to build and to keep up to date, so that one more is a
/// decision. To raise this, set it to the number that `cargo xtask deps` prints plus 15, and give
/// the reason in one line of the commit message.
const MAX_PRODUCT_PACKAGES: usize = 369;

/// What must be there once: two versions of these have types that look alike and do not fit.
const SINGLE: &[&str] = &[
    "arrow-array",
    "arrow-buffer",
    "arrow-schema",
    "datafusion",
    "object_store",
    "parquet",
    "tokio",
];

/// What may be missing but not be there twice: a second hyper is a second HTTP stack.
const AT_MOST_ONCE: &[&str] = &["hyper"];

/// Runs [`check`].
pub(crate) fn task(workspace: &Workspace, arguments: &[String]) -> Result<(), Error> {
    no_arguments("deps", arguments)?;
    check(workspace)
}

/// Checks licences, versions, number and direction of the dependencies.
pub(crate) fn check(workspace: &Workspace) -> Result<(), Error> {
    let graph = Graph::read(workspace)?;
    let product = product_packages(workspace)?;

    let mut problems = licence_problems(graph.packages());
    problems.extend(version_problems(graph.packages()));
    problems.extend(count_problem(product.len()));
    problems.extend(direction::problems(&graph));
    no_problems("deps", &problems)?;

    println!(
        "deps: {} packages with tests, {} in the product (at most {MAX_PRODUCT_PACKAGES})",
        graph.packages().len(),
        product.len(),
    );
    Ok(())
}

fn licence_problems(packages: &[Package]) -> Vec<String> {
    packages
        .iter()
        .filter_map(|package| {
            let Package { name, version, .. } = package;
            let Some(expression) = &package.licence else {
                return Some(format!("{name} {version} states no licence"));
            };
            match licence::is_allowed(expression) {
                Ok(true) => None,
                Ok(false) => Some(format!("{name} {version} is under {expression}")),
                Err(reason) => Some(format!("{name} {version}, `{expression}`: {reason}")),
            }
        })
        .collect()
}

fn version_problems(packages: &[Package]) -> Vec<String> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        versions
            .entry(&package.name)
            .or_default()
            .push(&package.version);
    }
    let missing = SINGLE
        .iter()
        .filter(|name| !versions.contains_key(*name))
        .map(|name| format!("{name} is not among the dependencies any more"));
    let several = SINGLE.iter().chain(AT_MOST_ONCE).filter_map(|name| {
        let found = versions.get(name).filter(|found| found.len() > 1)?;
        Some(format!(
            "{name} is there more than once: {}",
            found.join(", ")
        ))
    });
    missing.chain(several).collect()
}

fn count_problem(count: usize) -> Option<String> {
    (count > MAX_PRODUCT_PACKAGES).then(|| {
        format!(
            "the product is built from {count} packages, and at most {MAX_PRODUCT_PACKAGES} are \
             allowed (MAX_PRODUCT_PACKAGES in xtask/src/dependencies.rs)"
        )
    })
}

/// The packages, by name and version, that the `loglens` binary is built from.
///
/// `cargo tree` knows which features the binary alone turns on; the graph of `cargo metadata`
/// turns on those of the tests as well.
fn product_packages(workspace: &Workspace) -> Result<BTreeSet<String>, Error> {
    let tree = workspace.read_cargo(&[
        "tree",
        "--package=loglens",
        "--edges=normal,build",
        "--prefix=none",
        "--format={p}",
    ])?;
    Ok(names_and_versions(&tree))
}

/// The first two words of each line, without repetitions; the rest says where the package is from.
fn names_and_versions(tree: &str) -> BTreeSet<String> {
    tree.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some(format!("{} {}", words.next()?, words.next()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(names_and_versions: &[(&str, &str)]) -> Vec<Package> {
        names_and_versions
            .iter()
            .map(|(name, version)| Package {
                name: (*name).to_owned(),
                version: (*version).to_owned(),
                ..Package::default()
            })
            .collect()
    }

    #[test]
    fn each_single_package_is_there_once() {
        let mut once: Vec<(&str, &str)> = SINGLE.iter().map(|name| (*name, "1.0.0")).collect();
        assert_eq!(version_problems(&packages(&once)), [""; 0]);

        once.extend([("tokio", "2.0.0"), ("hyper", "0.14.0"), ("hyper", "1.0.0")]);
        once.retain(|(name, _)| *name != "parquet");
        assert_eq!(
            version_problems(&packages(&once)),
            [
                "parquet is not among the dependencies any more",
                "tokio is there more than once: 1.0.0, 2.0.0",
                "hyper is there more than once: 0.14.0, 1.0.0",
            ]
        );
    }

    #[test]
    fn a_package_is_counted_once_however_often_the_tree_shows_it() {
        let tree = "loglens v0.1.0 (/somewhere/engine/cli)\n\
                    syn v2.0.1\n\
                    syn v3.0.1\n\
                    serde_derive v1.0.2 (proc-macro)\n\
                    syn v2.0.1 (*)\n\
                    \n";
        assert_eq!(
            names_and_versions(tree).into_iter().collect::<Vec<_>>(),
            [
                "loglens v0.1.0",
                "serde_derive v1.0.2",
                "syn v2.0.1",
                "syn v3.0.1"
            ]
        );
    }

    #[test]
    fn the_ceiling_itself_is_allowed() {
        assert_eq!(count_problem(MAX_PRODUCT_PACKAGES), None);
        assert!(count_problem(MAX_PRODUCT_PACKAGES + 1).is_some());
    }
}
