//! JSON as it was dispatched: what stands at a path, and how `jsonb` writes it.

use super::decimal::written_out;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// What stands somewhere.
#[derive(Debug, PartialEq)]
pub enum Scalar<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    Text(String),
}

/// How deep a value may be nested for [`as_stored`] to follow it.
const MAX_DEPTH: usize = 500;

/// What stands at a path. An array on the way counts by its elements, as in the lax mode of SQL's jsonpath.
pub fn at<'a>(json: &'a str, path: &[String]) -> Vec<&'a RawValue> {
    let root = serde_json::from_str::<&RawValue>(json).ok();
    path.iter().fold(root.into_iter().collect(), |values, name| {
        let objects = values.into_iter().flat_map(elements);
        objects.filter_map(|it| members(it.get())?.remove(name)).collect()
    })
}

/// The scalars that are compared with a value: it, or its elements; those of arrays in an array too, as in jsonpath.
pub fn scalars(value: &RawValue) -> impl Iterator<Item = Scalar<'_>> {
    elements(value).into_iter().flat_map(elements).filter_map(|it| scalar(it.get()))
}

/// The elements of an array; anything else by itself.
fn elements(value: &RawValue) -> Vec<&RawValue> {
    if value.get().starts_with('[') { serde_json::from_str(value.get()).unwrap_or_default() } else { vec![value] }
}

fn members(json: &str) -> Option<BTreeMap<String, &RawValue>> {
    if json.starts_with('{') { serde_json::from_str(json).ok() } else { None }
}

fn scalar(json: &str) -> Option<Scalar<'_>> {
    match json.as_bytes().first()? {
        b'n' => Some(Scalar::Null),
        b't' | b'f' => Some(Scalar::Bool(json == "true")),
        b'"' => serde_json::from_str(json).ok().map(Scalar::Text),
        b'{' | b'[' => None,
        _ => Some(Scalar::Number(json)),
    }
}

/// The text that Postgres makes of it: names in its order, one space after each separator, numbers written out.
pub fn as_stored(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    write(json.trim(), 0, &mut text);
    text
}

fn write(json: &str, depth: usize, text: &mut String) {
    let (open, close) = if json.starts_with('{') { ('{', '}') } else { ('[', ']') };
    match json.as_bytes().first() {
        Some(b'{') if depth < MAX_DEPTH => {
            let mut members: Vec<_> = members(json).unwrap_or_default().into_iter().collect();
            members.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
            text.push(open);
            for (index, (name, value)) in members.into_iter().enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                text.push_str(&quoted(&name));
                text.push_str(": ");
                write(value.get(), depth + 1, text);
            }
            text.push(close);
        }
        Some(b'[') if depth < MAX_DEPTH => {
            let elements: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
            text.push(open);
            for (index, value) in elements.into_iter().enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                write(value.get(), depth + 1, text);
            }
            text.push(close);
        }
        _ => match scalar(json) {
            Some(Scalar::Text(it)) => text.push_str(&quoted(&it)),
            Some(Scalar::Number(it)) => text.push_str(&written_out(it)),
            _ => text.push_str(json),
        },
    }
}

/// A string of JSON, with as few escapes as possible.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(json: &'a str, path: &str) -> Vec<Scalar<'a>> {
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        at(json, &path).into_iter().flat_map(scalars).collect()
    }

    #[test]
    fn a_path_leads_through_objects_and_arrays() {
        let json = r#"{"a": {"b": 9007199254740993, "b": 1e2}, "items": [{"sku": "x"}, {"sku": ["y", ["z"]]}, 5],
            "n": null, "t": [[1], [[2]]], "caf\u00e9": "\u00e9", "o": {}}"#;
        assert_eq!(found(json, "a.b"), [Scalar::Number("1e2")]);
        let texts = ["x", "y", "z"].map(|it| Scalar::Text(it.to_owned()));
        assert_eq!(found(json, "items.sku"), texts);
        assert_eq!(found(json, "n"), [Scalar::Null]);
        assert_eq!(found(json, "t"), [Scalar::Number("1")], "two levels, and no further");
        assert_eq!(found(json, "café"), [Scalar::Text("é".to_owned())]);
        for nowhere in ["b", "a.b.c", "a.c", "n.x", "o", "items"] {
            assert_eq!(found(json, nowhere).len(), usize::from(nowhere == "items"), "{nowhere}");
        }
        assert_eq!(at(json, &["o".to_owned()]).len(), 1);
        assert!(at("no JSON", &["a".to_owned()]).is_empty());
    }

    #[test]
    fn the_text_is_that_of_jsonb() {
        let json = " {\"bb\":[1e2,\"\\u00e9\\n\\u0001/\"],\"a\" : {}, \"ab\":[],\"c\":-0.0,\"c\":true} ";
        assert_eq!(as_stored(json), "{\"a\": {}, \"c\": true, \"ab\": [], \"bb\": [100, \"é\\n\\u0001/\"]}");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", deep in 0_usize..2000) {
            let _ = (as_stored(&text), found(&text, "a.b"));
            let nested = "[".repeat(deep) + &"]".repeat(deep);
            proptest::prop_assert!(deep == 0 || as_stored(&nested) == nested);
        }
    }
}
