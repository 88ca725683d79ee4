//! Checks dependencies against `deny.toml`: licences, sources, banned crates and duplicate versions, without the network.
//!
//! cargo-deny does this and more, but takes minutes to compile and fetches an advisory database. It accepts the same file.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::{process, project::Project, toolchain::Toolchain};

#[derive(Deserialize)]
struct Rules {
    graph: Graph,
    licenses: Licenses,
    sources: Sources,
    bans: Bans,
}

#[derive(Deserialize)]
struct Graph {
    targets: Vec<String>,
}

#[derive(Deserialize)]
struct Licenses {
    allow: BTreeSet<String>,
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Banned>,
    skip: Vec<Named>,
}

#[derive(Deserialize)]
struct Banned {
    #[serde(rename = "crate")]
    name: String,
    /// Crates that may depend on it all the same.
    wrappers: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "crate")]
    name: String,
}

/// Output of `cargo metadata`.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    /// `None` for workspace members.
    source: Option<String>,
    license: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    dependencies: Vec<String>,
}

pub(crate) fn check(project: &Project, toolchain: &Toolchain) -> Result<()> {
    let file = project.root.join("deny.toml");
    let rules: Rules = toml::from_str(&fs::read_to_string(&file)?).with_context(|| format!("{} is malformed", file.display()))?;
    let mut cargo = toolchain.cargo(project);
    cargo.args(["metadata", "--locked", "--format-version", "1"]);
    for target in &rules.graph.targets {
        cargo.args(["--filter-platform", target]);
    }
    let metadata: Metadata =
        serde_json::from_str(&process::read(&mut cargo)?).context("cannot parse the output of `cargo metadata`")?;
    let findings = rules.findings(&metadata);
    if findings.is_empty() {
        println!("    {} crates comply with deny.toml", metadata.resolve.nodes.len());
        return Ok(());
    }
    bail!("violations of deny.toml:\n    {}", findings.join("\n    "))
}

impl Rules {
    fn findings(&self, metadata: &Metadata) -> Vec<String> {
        let packages: BTreeMap<&str, &Package> = metadata.packages.iter().map(|package| (package.id.as_str(), package)).collect();
        let used = |id: &str| packages.get(id).copied();
        let mut versions = BTreeMap::<&str, BTreeSet<&str>>::new();
        let mut parents = BTreeMap::<&str, BTreeSet<&str>>::new();
        let mut findings = Vec::new();
        for node in &metadata.resolve.nodes {
            let Some(package) = used(&node.id) else { continue };
            versions.entry(&package.name).or_default().insert(&package.version);
            for part in node.dependencies.iter().filter_map(|id| used(id)) {
                parents.entry(&part.name).or_default().insert(&package.name);
            }
            findings.extend(self.source(package).into_iter().chain(self.license(package)));
        }
        for banned in &self.bans.deny {
            let brought_by = parents.get(banned.name.as_str()).into_iter().flatten();
            let strange: Vec<&str> = brought_by.filter(|name| !banned.wrappers.contains(**name)).copied().collect();
            if !strange.is_empty() {
                findings.push(format!("{} is banned, but a dependency of {}", banned.name, strange.join(", ")));
            }
        }
        for skip in &self.bans.skip {
            if versions.get(skip.name.as_str()).is_none_or(|versions| versions.len() < 2) {
                findings.push(format!("{} has at most one version: the skip no longer applies", skip.name));
            }
        }
        for (name, versions) in versions {
            if versions.len() > 1 && !self.bans.skip.iter().any(|skip| skip.name == name) {
                let versions: Vec<&str> = versions.into_iter().collect();
                findings.push(format!("{name} has the versions {}", versions.join(", ")));
            }
        }
        findings
    }

    fn source(&self, package: &Package) -> Option<String> {
        let source = package.source.as_deref()?;
        let registry = source.strip_prefix("registry+").unwrap_or(source);
        (!self.sources.allow_registry.contains(registry)).then(|| format!("{} comes from {source}", package.name))
    }

    fn license(&self, package: &Package) -> Option<String> {
        package.source.as_deref()?;
        let exception = self.licenses.exceptions.iter().find(|exception| exception.name == package.name);
        let is_allowed = match (&package.license, exception) {
            // The licence file named instead was reviewed when the exception was added.
            (None, exception) => exception.is_some(),
            (Some(expression), exception) => allows(expression, &|license| {
                self.licenses.allow.contains(license) || exception.is_some_and(|exception| exception.allow.contains(license))
            }),
        };
        let told = package.license.as_deref().unwrap_or("no expression");
        (!is_allowed).then(|| format!("{} {} is under {told}", package.name, package.version))
    }
}

/// Whether an SPDX expression can be satisfied. Old expressions use a slash for `OR`; `AND` binds closer.
fn allows(expression: &str, license: &impl Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let mut either = false;
    // By open bracket, whether all terms so far are satisfied.
    let mut outer = Vec::new();
    let mut all = true;
    while let Some(word) = words.next() {
        match word {
            "OR" => {
                either |= all;
                all = true;
            }
            "AND" => {}
            "(" => {
                outer.push((either, all));
                (either, all) = (false, true);
            }
            ")" => {
                let inner = either || all;
                (either, all) = outer.pop().unwrap_or((false, false));
                all &= inner;
            }
            name => {
                let whole = match words.next_if_eq(&"WITH").and_then(|_| words.next()) {
                    Some(exception) => format!("{name} WITH {exception}"),
                    None => name.to_owned(),
                };
                all &= license(&whole);
            }
        }
    }
    either || all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_met_by_what_it_asks_for() {
        let license = |name: &str| ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "ISC"].contains(&name);
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("GPL-3.0 OR MIT", true),
            ("MIT/GPL-3.0", true),
            ("MIT AND GPL-3.0", false),
            ("MIT AND GPL-3.0 OR ISC", true),
            ("GPL-3.0 OR MIT AND GPL-2.0", false),
            ("(MIT OR GPL-3.0) AND ISC", true),
            ("(MIT OR GPL-3.0) AND GPL-2.0", false),
            ("ISC AND (Apache-2.0 OR ISC) AND (GPL-3.0 OR (GPL-2.0 OR MIT))", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("MIT WITH LLVM-exception", false),
        ] {
            assert_eq!(allows(expression, &license), expected, "{expression}");
        }
    }

    fn package(id: &str, version: &str, source: &str, license: Option<&str>) -> Package {
        Package {
            id: format!("{id} {version}"),
            name: id.to_owned(),
            version: version.to_owned(),
            source: Some(source.to_owned()),
            license: license.map(str::to_owned),
        }
    }

    #[test]
    fn what_is_not_allowed_is_named() {
        let rules: Rules = toml::from_str(
            r#"
            graph.targets = []
            licenses = { allow = ["MIT"], exceptions = [{ crate = "special", allow = ["BUSL-1.1"] }] }
            sources.allow-registry = ["https://example.org/index"]
            [bans]
            deny = [{ crate = "banned", wrappers = ["special"] }]
            skip = [{ crate = "special" }, { crate = "fine" }, { crate = "gone" }]
            "#,
        )
        .unwrap();
        let here = "registry+https://example.org/index";
        let packages = vec![
            package("fine", "1.0.0", here, Some("MIT")),
            package("special", "1.0.0", here, None),
            package("special", "2.0.0", here, Some("BUSL-1.1")),
            package("banned", "1.0.0", here, Some("MIT")),
            package("strict", "1.0.0", here, Some("GPL-3.0")),
            package("strange", "1.0.0", "git+https://example.org/x", Some("MIT")),
            package("twice", "1.0.0", here, Some("MIT")),
            package("twice", "2.0.0", here, Some("MIT")),
        ];
        let node = |package: &Package| Node {
            id: package.id.clone(),
            dependencies: if package.name == "fine" || package.name == "special" {
                vec!["banned 1.0.0".to_owned()]
            } else {
                vec![]
            },
        };
        let nodes = packages.iter().map(node).collect();
        let mut found = rules.findings(&Metadata { packages, resolve: Resolve { nodes } });
        found.sort();
        assert_eq!(
            found,
            [
                "banned is banned, but a dependency of fine",
                "fine has at most one version: the skip no longer applies",
                "gone has at most one version: the skip no longer applies",
                "strange comes from git+https://example.org/x",
                "strict 1.0.0 is under GPL-3.0",
                "twice has the versions 1.0.0, 2.0.0",
            ]
        );
    }
}
