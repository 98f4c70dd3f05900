//! Circles among files and folders that stand beside each other.

use crate::source::{Module, Use};
use std::collections::{BTreeMap, BTreeSet};

/// A file or folder uses another one of the same folder.
pub struct Edge {
    folder: Module,
    from: String,
    to: String,
    example: String,
}

impl Edge {
    /// What a use means where the ways to both modules part; `None` where one is inside the other.
    pub fn between_siblings(it: &Use) -> Option<Self> {
        let common = it.from.iter().zip(&it.to).take_while(|(a, b)| a == b).count();
        let (from, to) = (it.from.get(common)?, it.to.get(common)?);
        let example = format!("{} -> {} (line {})", it.from.join("::"), it.to.join("::"), it.line);
        Some(Self { folder: it.from[..common].to_vec(), from: from.clone(), to: to.clone(), example })
    }
}

/// Every group of siblings that reach each other, with the uses that make it so.
pub fn circles(edges: impl Iterator<Item = Edge>) -> Vec<String> {
    let mut folders: BTreeMap<Module, Vec<Edge>> = BTreeMap::new();
    for edge in edges {
        folders.entry(edge.folder.clone()).or_default().push(edge);
    }
    folders.into_values().flat_map(|edges| circles_of(&edges)).collect()
}

fn circles_of(edges: &[Edge]) -> BTreeSet<String> {
    let back = |edge: &&Edge| reaches(edges, &edge.to, &edge.from);
    edges.iter().filter(back).map(|it| it.example.clone()).collect()
}

fn reaches(edges: &[Edge], from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::from([from]);
    let mut next = vec![from];
    while let Some(here) = next.pop() {
        if here == to {
            return true;
        }
        next.extend(edges.iter().filter(|it| it.from == here).map(|it| it.to.as_str()).filter(|it| seen.insert(it)));
    }
    false
}

#[test]
fn a_circle_is_found_and_a_line_is_none() {
    let edge = |from: &str, to: &str| Edge {
        folder: vec!["crate".to_owned()],
        from: from.to_owned(),
        to: to.to_owned(),
        example: format!("{from} -> {to}"),
    };
    assert_eq!(circles([edge("a", "b"), edge("b", "c"), edge("a", "c")].into_iter()), Vec::<String>::new());
    let circle = circles([edge("a", "b"), edge("b", "c"), edge("c", "a"), edge("c", "d")].into_iter());
    assert_eq!(circle, ["a -> b", "b -> c", "c -> a"]);
}
