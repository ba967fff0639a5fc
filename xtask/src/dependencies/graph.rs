//! The packages and their dependencies, from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::error::Error;
use crate::workspace::Workspace;

/// A package of the workspace or one that it depends on, tests included.
#[derive(Debug, Default)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    /// As its manifest states it: mostly, but not always, an SPDX expression.
    pub(crate) licence: Option<String>,
    /// What its manifest names, whether or not anything turns it on.
    pub(crate) declared: Vec<Declared>,
}

/// A dependency that a manifest names.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) name: String,
    /// Whether only tests, examples and benchmarks have it.
    pub(crate) is_dev: bool,
}

/// Packages, and which of them end up in which.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    packages: Vec<Package>,
    members: BTreeSet<String>,
    /// From the identifier of a package to those of its normal and build dependencies.
    links: BTreeMap<String, Vec<String>>,
}

impl Graph {
    /// Asks Cargo. Only the host's packages are looked at: others may never have been fetched.
    pub(crate) fn read(workspace: &Workspace) -> Result<Self, Error> {
        let version = workspace.read_cargo(&["-vV"])?;
        let host = version
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .ok_or_else(|| Error::Failed("`cargo -vV` names no host".to_owned()))?;
        let metadata = workspace.read_cargo(&[
            "metadata",
            "--format-version=1",
            &format!("--filter-platform={host}"),
        ])?;
        let metadata: Value = serde_json::from_str(&metadata)
            .map_err(|error| Error::Failed(format!("`cargo metadata`: {error}")))?;
        Ok(Self::of(&metadata))
    }

    fn of(metadata: &Value) -> Self {
        Self {
            packages: items(&metadata["packages"]).map(package).collect(),
            members: items(&metadata["workspace_members"]).map(text).collect(),
            links: items(&metadata["resolve"]["nodes"])
                .map(|node| (text(&node["id"]), links(node)))
                .collect(),
        }
    }

    pub(crate) fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// The packages of the workspace itself.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| self.members.contains(&package.id))
    }

    /// The names of all packages that a package is built from, near and far, without its tests'.
    pub(crate) fn built_from(&self, package: &Package) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut open = vec![package.id.as_str()];
        while let Some(id) = open.pop() {
            for link in self.links.get(id).into_iter().flatten() {
                if reached.insert(link.as_str()) {
                    open.push(link);
                }
            }
        }
        self.packages
            .iter()
            .filter(|package| reached.contains(package.id.as_str()))
            .map(|package| package.name.as_str())
            .collect()
    }
}

fn package(value: &Value) -> Package {
    Package {
        id: text(&value["id"]),
        name: text(&value["name"]),
        version: text(&value["version"]),
        licence: value["license"].as_str().map(str::to_owned),
        declared: items(&value["dependencies"])
            .map(|dependency| Declared {
                name: text(&dependency["name"]),
                is_dev: dependency["kind"] == "dev",
            })
            .collect(),
    }
}

fn links(node: &Value) -> Vec<String> {
    items(&node["deps"])
        .filter(|link| items(&link["dep_kinds"]).any(|kind| kind["kind"] != "dev"))
        .map(|link| text(&link["pkg"]))
        .collect()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// A graph in which every package is named, and dependencies are `(from, to, is_dev)`.
    pub(crate) fn graph(members: &[&str], edges: &[(&str, &str, bool)]) -> Graph {
        let names: BTreeSet<&str> = edges
            .iter()
            .flat_map(|(from, to, _)| [*from, *to])
            .chain(members.iter().copied())
            .collect();
        let kind = |is_dev: &bool| is_dev.then_some("dev");
        let packages = names.iter().map(|name| {
            let from_here = edges.iter().filter(|(from, ..)| from == name);
            json!({
                "id": name, "name": name, "version": "1.0.0", "license": "MIT",
                "dependencies": from_here
                    .map(|(_, to, is_dev)| json!({"name": to, "kind": kind(is_dev)}))
                    .collect::<Vec<_>>(),
            })
        });
        let nodes = names.iter().map(|name| {
            let from_here = edges.iter().filter(|(from, ..)| from == name);
            json!({
                "id": name,
                "deps": from_here
                    .map(|(_, to, is_dev)| json!({"pkg": to, "dep_kinds": [{"kind": kind(is_dev)}]}))
                    .collect::<Vec<_>>(),
            })
        });
        Graph::of(&json!({
            "packages": packages.collect::<Vec<_>>(),
            "workspace_members": members,
            "resolve": {"nodes": nodes.collect::<Vec<_>>()},
        }))
    }

    #[test]
    fn a_package_is_built_from_what_its_dependencies_are_built_from() {
        let graph = graph(
            &["a"],
            &[
                ("a", "b", false),
                ("b", "c", false),
                ("c", "b", false),
                ("b", "tester", true),
                ("tester", "d", false),
            ],
        );
        let built_from: Vec<_> = graph.members().map(|a| graph.built_from(a)).collect();
        assert_eq!(built_from, [BTreeSet::from(["b", "c"])]);
    }
}
