//! The rooms of the core: what each may use, read from its sources.
//!
//! A room uses only what stands above it in [`ORDER`]. Below that, files and folders that stand beside each other in one
//! folder never use each other in a circle. What is compiled for tests alone may use everything.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod graph;
mod source;

use graph::{Edge, circles};
use source::{Use, uses};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// The rooms; each may use those before it.
const ORDER: [&str; 18] = [
    "error",
    "base",
    "config",
    "log",
    "message",
    "policy",
    "counts",
    "search",
    "store",
    "transport",
    "backends",
    "engine",
    "dispatcher",
    "worker",
    "scheduler",
    "monitor",
    "operate",
    "binding",
];

static USES: LazyLock<Vec<Use>> = LazyLock::new(uses);

#[test]
fn a_room_uses_only_what_stands_above_it() {
    let place = |room: &str| ORDER.iter().position(|it| *it == room);
    let mut wrong = BTreeSet::new();
    for Use { from, to, line } in USES.iter() {
        let (Some(user), Some(used)) = (from.get(1), to.get(1)) else { continue };
        let (Some(below), Some(above)) = (place(user), place(used)) else {
            panic!("{user} or {used} is not among the rooms {ORDER:?}");
        };
        if above > below {
            wrong.insert(format!("src/{}.rs:{line} uses {}", from[1..].join("/"), to.join("::")));
        }
    }
    assert!(wrong.is_empty(), "against the order {}:\n{}", ORDER.join(" < "), Vec::from_iter(wrong).join("\n"));
}

#[test]
fn nobody_but_the_engine_names_a_backend() {
    // The commands of the test kit to a memory transport.
    let may = |from: &str| {
        from.starts_with("crate::engine") || from.starts_with("crate::backends") || from == "crate::binding::memory"
    };
    let wrong: Vec<_> = USES
        .iter()
        .map(|Use { from, to, line }| (from.join("::"), to.join("::"), line))
        .filter(|(from, to, _)| to.starts_with("crate::backends") && !may(from))
        .map(|(from, to, line)| format!("{from} -> {to} (line {line})"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_stands_side_by_side_uses_each_other_in_no_circle() {
    let found = circles(USES.iter().filter_map(Edge::between_siblings));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_sources_are_understood() {
    let has = |from: &str, to: &str| USES.iter().any(|it| it.from.join("::") == from && it.to.join("::") == to);
    assert!(has("crate::engine", "crate::config"), "by use");
    assert!(has("crate::binding::pure", "crate::policy::retry"), "by a path in an expression");
    assert!(has("crate::worker::run::claims", "crate::worker::run::feeds"), "by a type");
    assert!(!has("crate::worker::run::feeds", "crate::backends::memory"), "in tests alone");
}
