//! Which module names which, read from the sources.

use proc_macro2::{TokenStream, TokenTree};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

/// A module as its path from the root: `crate`, `worker`, `run`.
pub type Module = Vec<String>;

/// One module names something of another.
#[derive(Debug, Clone)]
pub struct Use {
    /// Who.
    pub from: Module,
    /// Whose.
    pub to: Module,
    /// Where.
    pub line: usize,
}

/// Every use of one module by another, outside tests.
pub fn uses() -> Vec<Use> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    find(&root, &mut files);
    let parsed = files.iter().map(|path| {
        let text = std::fs::read_to_string(path).unwrap();
        (module(path.strip_prefix(&root).unwrap()), syn::parse_file(&text).unwrap())
    });
    let parsed: Vec<_> = parsed.collect();
    let tests: HashSet<Module> = parsed.iter().flat_map(|(module, file)| test_modules(module, &file.items)).collect();
    let modules: HashSet<Module> = parsed.iter().map(|(module, _)| module.clone()).collect();
    let mut all = Vec::new();
    for (module, file) in parsed.iter().filter(|(module, _)| !tests.iter().any(|it| module.starts_with(it))) {
        let mut reader = Reader { module, modules: &modules, found: Vec::new() };
        reader.visit_file(file);
        all.append(&mut reader.found);
    }
    all
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, files);
        } else if path.extension().is_some_and(|it| it == "rs") {
            files.push(path);
        }
    }
}

/// `worker/run/mod.rs` is `crate::worker::run`.
fn module(path: &Path) -> Module {
    let parts = path.with_extension("");
    let mut parts: Vec<_> = parts.iter().map(|it| it.to_str().unwrap().to_owned()).collect();
    parts.pop_if(|last| last == "mod" || last == "lib");
    [vec!["crate".to_owned()], parts].concat()
}

/// The modules in files of their own that are compiled for tests alone.
fn test_modules(module: &Module, items: &[Item]) -> Vec<Module> {
    let marked = items.iter().filter_map(|item| match item {
        Item::Mod(it) if it.content.is_none() && is_for_tests(&it.attrs) => Some(it.ident.to_string()),
        _ => None,
    });
    marked.map(|name| [module.clone(), vec![name]].concat()).collect()
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    let is_test = |it: &Attribute| {
        it.path().is_ident("test") || it.meta.require_list().is_ok_and(|it| it.tokens.to_string() == "test")
    };
    attributes.iter().any(is_test)
}

/// Notes the paths of one file that lead into other modules.
struct Reader<'a> {
    module: &'a Module,
    modules: &'a HashSet<Module>,
    found: Vec<Use>,
}

impl Reader<'_> {
    /// Notes a path as it is written: from the root, from above, or from a module inside.
    fn note(&mut self, path: &[String], line: usize) {
        let mut absolute = match path.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("super" | "self") => self.module.clone(),
            Some(name) if self.modules.contains(&[self.module.as_slice(), &[name.to_owned()]].concat()) => {
                self.module.clone()
            }
            _ => return,
        };
        for part in path {
            match part.as_str() {
                "super" => drop(absolute.pop()),
                "self" => {}
                part => absolute.push(part.to_owned()),
            }
        }
        while !self.modules.contains(&absolute) && absolute.pop().is_some() {}
        if !absolute.is_empty() && absolute != *self.module {
            self.found.push(Use { from: self.module.clone(), to: absolute, line });
        }
    }

    fn note_tree(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(it) => self.note_tree(&with(&it.ident), &it.tree),
            UseTree::Name(it) => self.note(&with(&it.ident), it.span().start().line),
            UseTree::Rename(it) => self.note(&with(&it.ident), it.span().start().line),
            UseTree::Glob(it) => self.note(before, it.span().start().line),
            UseTree::Group(it) => it.items.iter().for_each(|tree| self.note_tree(before, tree)),
        }
    }

    /// Paths inside macros, whose text is not parsed: whatever looks like one.
    fn note_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut line = 0;
        for token in tokens {
            match &token {
                TokenTree::Ident(name) if path.is_empty() || path.last().is_some_and(|it| it == "::") => {
                    line = name.span().start().line;
                    path.push(name.to_string());
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    if path.last().is_some_and(|it| it != "::") {
                        path.push("::".to_owned());
                    }
                }
                _ => self.note_written(&mut path, line),
            }
            if let TokenTree::Group(group) = token {
                self.note_tokens(group.stream());
            }
        }
        self.note_written(&mut path, line);
    }

    fn note_written(&mut self, path: &mut Vec<String>, line: usize) {
        path.retain(|it| it != "::");
        if path.len() > 1 {
            self.note(path, line);
        }
        path.clear();
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(it) => &it.attrs,
            Item::Fn(it) => &it.attrs,
            Item::Use(it) => &it.attrs,
            Item::Impl(it) => &it.attrs,
            _ => &Vec::new(),
        };
        if !is_for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.note_tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<_> = path.segments.iter().map(|it| it.ident.to_string()).collect();
        if parts.len() > 1 {
            self.note(&parts, path.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, it: &'ast syn::Macro) {
        self.note_tokens(it.tokens.clone());
    }
}
