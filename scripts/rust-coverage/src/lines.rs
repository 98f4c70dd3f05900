//! From counted regions to counted lines, by the rule of `llvm-cov`.

use std::collections::{BTreeMap, HashMap};

use llvm_profparser::coverage::SourceLocation;

/// This bit in the end column marks a gap: space between two statements, no code of its own.
const GAP: usize = 1 << 31;

/// How often each line with code ran.
///
/// A line's count is the highest of the regions that begin on it and of the innermost region that runs into it.
/// A region that several functions share (a generic's instances, a copy in another binary) counts their sum.
pub fn line_counts<'a>(functions: impl Iterator<Item = &'a BTreeMap<SourceLocation, usize>>) -> BTreeMap<usize, usize> {
    let regions = merge(functions);
    let mut lines: BTreeMap<usize, usize> = BTreeMap::new();
    for region in regions.iter().filter(|region| !region.gap) {
        let count = lines.entry(region.start.0).or_default();
        *count = region.count.max(*count);
    }
    for (line, count) in runs_into(&regions) {
        let known = lines.entry(line).or_default();
        *known = count.max(*known);
    }
    lines
}

struct Region {
    start: (usize, usize),
    end: (usize, usize),
    gap: bool,
    count: usize,
}

/// Sums the counts of the same region. A difference of counters that raced can come out below zero: that is none.
fn merge<'a>(functions: impl Iterator<Item = &'a BTreeMap<SourceLocation, usize>>) -> Vec<Region> {
    let mut counts: BTreeMap<&SourceLocation, usize> = BTreeMap::new();
    for (location, count) in functions.flatten() {
        let sum = counts.entry(location).or_default();
        *sum = sum.saturating_add(if *count > isize::MAX as usize { 0 } else { *count });
    }
    counts
        .into_iter()
        .map(|(location, count)| Region {
            start: (location.line_start, location.column_start),
            end: (location.line_end, location.column_end & !GAP),
            gap: location.column_end & GAP != 0 && location.column_end != usize::MAX,
            count,
        })
        .collect()
}

/// For each line that begins inside a region: the count of the innermost one.
fn runs_into(regions: &[Region]) -> HashMap<usize, usize> {
    let mut innermost: HashMap<usize, &Region> = HashMap::new();
    for region in regions {
        // A region that ends in the first column of a line does not reach into that line.
        let last = if region.end.1 <= 1 { region.end.0.saturating_sub(1) } else { region.end.0 };
        for line in region.start.0 + 1..=last {
            let best = innermost.entry(line).or_insert(region);
            if (region.start, std::cmp::Reverse(region.end)) >= (best.start, std::cmp::Reverse(best.end)) {
                *best = region;
            }
        }
    }
    innermost.into_iter().map(|(line, region)| (line, region.count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line_start: usize, column_start: usize, line_end: usize, column_end: usize) -> SourceLocation {
        SourceLocation { line_start, column_start, line_end, column_end }
    }

    fn counts(functions: &[BTreeMap<SourceLocation, usize>]) -> Vec<(usize, usize)> {
        line_counts(functions.iter()).into_iter().collect()
    }

    #[test]
    fn a_line_counts_the_innermost_region_that_runs_into_it() {
        let function = BTreeMap::from([(at(1, 1, 5, 2), 7), (at(2, 9, 4, 6), 0)]);
        // Line 2 begins inside the outer region, line 3 and 4 inside the inner one.
        assert_eq!(counts(&[function]), [(1, 7), (2, 7), (3, 0), (4, 0), (5, 7)]);
    }

    #[test]
    fn instances_of_one_function_add_up() {
        let never = BTreeMap::from([(at(3, 1, 3, 9), 0)]);
        let twice = BTreeMap::from([(at(3, 1, 3, 9), 2)]);
        assert_eq!(counts(&[never, twice.clone(), twice]), [(3, 4)]);
    }

    #[test]
    fn a_gap_begins_no_line_and_a_count_below_zero_is_none() {
        let function = BTreeMap::from([(at(1, 1, 1, GAP | 4), 3), (at(2, 1, 2, 4), usize::MAX)]);
        assert_eq!(counts(&[function]), [(2, 0)]);
    }
}
