//! Turns LLVM profiles of the instrumented core into an lcov report on standard output.
//!
//! `rust-coverage SOURCE_DIR --profiles A.profraw… --objects addon.node test-binary…`

mod lines;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use llvm_profparser::coverage::reporting::CoverageResult;
use llvm_profparser::{CoverageMapping, merge_profiles};

use crate::lines::line_counts;

fn main() -> Result<()> {
    let arguments = Arguments::read()?;
    let profile = merge_profiles(&arguments.profiles).context("a profile cannot be read")?;
    let mapping = CoverageMapping::new(&arguments.objects, &profile, false)?;
    let report = mapping.generate_subreport(|paths| paths.iter().any(|path| path.starts_with(&arguments.sources)))?;
    for (path, result) in &report.files {
        if path.starts_with(&arguments.sources) && !is_tests(path) {
            print_lcov(path, result);
        }
    }
    Ok(())
}

struct Arguments {
    sources: PathBuf,
    profiles: Vec<PathBuf>,
    objects: Vec<PathBuf>,
}

impl Arguments {
    fn read() -> Result<Self> {
        let mut words = std::env::args().skip(1);
        let sources = words.next().context("wants the folder of the sources")?.into();
        let (mut profiles, mut objects) = (Vec::new(), Vec::new());
        let mut into_objects = false;
        for word in words {
            match word.as_str() {
                "--profiles" => into_objects = false,
                "--objects" => into_objects = true,
                _ if into_objects => objects.push(word.into()),
                _ => profiles.push(word.into()),
            }
        }
        Ok(Self { sources, profiles, objects })
    }
}

/// Prints one file's record: `DA:line,count`, then the lines found and the lines hit.
fn print_lcov(path: &Path, result: &CoverageResult) {
    let Ok(source) = std::fs::read_to_string(path) else { return };
    let functions = result.hits_by_function.iter().filter(|(name, _)| !is_generated(name)).map(|(_, regions)| regions);
    let mut lines = line_counts(functions);
    lines.split_off(&first_test_line(&source));
    println!("SF:{}", path.display());
    for (line, count) in &lines {
        println!("DA:{line},{count}");
    }
    println!("LF:{}", lines.len());
    println!("LH:{}", lines.values().filter(|count| **count > 0).count());
    println!("end_of_record");
}

/// True for the functions that napi's macros add.
fn is_generated(function: &str) -> bool {
    ["__napi_rs_", "_c_callback"].iter().any(|mark| function.contains(mark))
}

/// Unit tests are not what is measured: neither those in a file of their own …
fn is_tests(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == "tests")
}

/// … nor those at the end of the file that they test.
fn first_test_line(source: &str) -> usize {
    let lines: Vec<&str> = source.lines().collect();
    let opens_tests = |from: usize| {
        let module = lines[from..].iter().find(|line| !line.starts_with("#["));
        lines[from] == "#[cfg(test)]" && module.is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
    };
    (0..lines.len()).find(|index| opens_tests(*index)).map_or(usize::MAX, |index| index + 1)
}
