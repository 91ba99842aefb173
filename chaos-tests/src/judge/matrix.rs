//! Runs the matrix: which types each argument of each function takes, beside MariaDB. No cell is left empty.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use futures::stream::{self, StreamExt, TryStreamExt};

use super::compare::Verdict;
use super::court::{Court, IN_FLIGHT};
use super::differences;
use super::generate::functions::{Class, FUNCTIONS};
use super::generate::matrix::{Cell, cells};
use super::generate::slots::{self, TYPES};

/// What came of the matrix.
#[derive(Debug)]
pub struct Matrix {
    /// All lines: one an argument, with a sign for each type.
    pub text: String,
    /// How many cells there are of each sign.
    pub counts: BTreeMap<char, usize>,
}

/// What the signs mean.
const LEGEND: &str = "= same  2 both refuse  x refused by Unum only  + answered by Unum only  ~ another shape  W wrong  \
                      ! broken  t late  ? undecided  L listed";

fn sign(cell: &Cell, verdict: &Verdict) -> char {
    if differences::listed(&cell.case, verdict).is_some() {
        return 'L';
    }
    match verdict {
        Verdict::Same | Verdict::Upheld => '=',
        Verdict::BothRefuse => '2',
        Verdict::UnumRefuses(_) => 'x',
        Verdict::UnumOnly(_) => '+',
        Verdict::Shape(_) => '~',
        Verdict::Wrong(_) => 'W',
        Verdict::Broken(_) => '!',
        Verdict::Late => 't',
        Verdict::Undecided => '?',
    }
}

/// Judges every cell.
pub async fn run(court: &Court, seed: u64) -> anyhow::Result<Matrix> {
    let judged = |cell: Cell| async move {
        let verdict = court.judge(&cell.case).await?;
        anyhow::Ok((sign(&cell, &verdict), cell))
    };
    let judged: Vec<(char, Cell)> = stream::iter(cells(seed)).map(judged).buffered(IN_FLIGHT).try_collect().await?;
    let mut counts = BTreeMap::new();
    let mut lines: Vec<(String, BTreeMap<char, char>)> = Vec::new();
    for (sign, cell) in &judged {
        *counts.entry(*sign).or_default() += 1;
        let form = cell.function.forms[cell.form];
        let line = match cell.argument {
            Some(argument) => format!("{form}  argument {}", argument + 1),
            None => form.to_owned(),
        };
        match lines.last_mut().filter(|(last, _)| *last == line) {
            Some((_, signs)) => signs.insert(cell.letter, *sign),
            None => {
                lines.push((line, BTreeMap::from([(cell.letter, *sign)])));
                None
            }
        };
    }
    let mut text = format!("{LEGEND}\n");
    let names: Vec<String> = TYPES.iter().map(|letter| format!("{letter} {}", slots::of(*letter).name)).collect();
    let _ = writeln!(text, "{}\n{}", names.join(", "), TYPES.iter().collect::<String>());
    for (line, signs) in &lines {
        let shown: String = match signs.len() {
            1 => signs.values().collect(),
            _ => TYPES.iter().map(|letter| signs.get(letter).copied().unwrap_or(' ')).collect(),
        };
        let _ = writeln!(text, "{shown:width$}  {line}", width = TYPES.len());
    }
    // The cells that are not the same, as a report has them.
    let is_same = |sign: &char| matches!(sign, '=' | '2');
    let failing = judged.into_iter().filter(|(sign, _)| !is_same(sign)).map(|(_, cell)| vec![cell.case]).collect();
    let report = super::judge_all(court, failing).await?;
    let _ = writeln!(text, "\nof the cells that are not the same: {}", report.text());
    let _ = writeln!(text, "not judged:");
    for function in FUNCTIONS {
        if let Class::Out(why) = function.class {
            let _ = writeln!(text, "  {}: {why}", function.name);
        }
    }
    Ok(Matrix { text, counts })
}

impl Matrix {
    /// One line that counts.
    pub fn summary(&self) -> String {
        let total: usize = self.counts.values().sum();
        let each: Vec<String> = self.counts.iter().map(|(sign, count)| format!("{count} {sign}")).collect();
        format!("{total} cells: {}, 0 empty   ({LEGEND})", each.join(", "))
    }

    /// How many cells are wrong or broken.
    pub fn broken(&self) -> usize {
        ['W', '!'].iter().filter_map(|sign| self.counts.get(sign)).sum()
    }
}
