//! What came of a run: counts for one line, and for a developer the failures by construct, each with its smallest statement.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::case::Case;
use super::compare::Verdict;
use super::differences;
use super::tree::Dialect;

/// How many statements of one group are shown.
const SHOWN_MAX: usize = 4;

/// How many cases came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Both gave the same rows.
    pub same: usize,
    /// Both refused.
    pub both_refuse: usize,
    /// Only MariaDB said otherwise, and the witness as Unum did.
    pub upheld: usize,
    /// Only Unum refused.
    pub unum_refuses: usize,
    /// Only MariaDB refused.
    pub unum_only: usize,
    /// A listed difference.
    pub listed: usize,
    /// The same values in another shape.
    pub shape: usize,
    /// Other rows.
    pub wrong: usize,
    /// Unum broke.
    pub broken: usize,
    /// Unum took too long, and MariaDB did not.
    pub late: usize,
    /// MariaDB took too long.
    pub undecided: usize,
}

/// A failure, as small as it became.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The smallest case.
    pub case: Case,
    /// What comes of it.
    pub verdict: Verdict,
    /// The statement whose plan was kept, where another plan does not fail: this one is as it was asked.
    pub kept_from: Option<String>,
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// The counts.
    pub counts: Counts,
    /// Wrong, broken, or of another shape: shrunk, and not listed.
    pub failures: Vec<Failure>,
    /// Those that a listed difference excuses: what a difference hides is found by reading them.
    pub listed: Vec<Failure>,
    /// Refused by Unum only, by the error's text: how many, and one shrunk.
    pub refused: BTreeMap<String, (usize, Option<Failure>)>,
    /// Taken by Unum only, by MariaDB's error: how many, and one shrunk.
    pub taken: BTreeMap<String, (usize, Option<Failure>)>,
}

/// An error's text without the values in it.
pub fn group_of(error: &str) -> String {
    let mut out = String::new();
    let mut quote = None;
    // The cause says more than what it came through.
    let cause = error.rsplit("caused by\n").next().unwrap_or_default();
    let cause = cause.split(" does not fit: ").last().unwrap_or_default();
    for c in cause.lines().next().unwrap_or_default().chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '\'' | '"' | '`') => {
                // An apostrophe is none.
                let is_word = out.chars().next_back().is_some_and(char::is_alphanumeric);
                if is_word && c == '\'' {
                    out.push(c);
                } else {
                    quote = Some(c);
                    out.push('…');
                }
            }
            None if c.is_ascii_digit() => {
                if !out.ends_with('#') {
                    out.push('#');
                }
            }
            None => out.push(c),
        }
    }
    out.chars().take(160).collect()
}

impl Counts {
    /// How many cases there were.
    pub fn total(&self) -> usize {
        self.same
            + self.both_refuse
            + self.upheld
            + self.unum_refuses
            + self.unum_only
            + self.listed
            + self.shape
            + self.wrong
            + self.broken
            + self.late
            + self.undecided
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} cases: {} same, {} refused by both, {} upheld by the witness, {} listed, {} refused by Unum only, {} answered by Unum only, \
             {} of another shape, {} WRONG, {} broken, {} late, {} undecided",
            self.total(),
            self.same,
            self.both_refuse,
            self.upheld,
            self.listed,
            self.unum_refuses,
            self.unum_only,
            self.shape,
            self.wrong,
            self.broken,
            self.late,
            self.undecided
        )
    }
}

impl Failure {
    /// The constructs that are left of it.
    pub fn constructs(&self) -> Vec<&'static str> {
        self.case.tree().constructs()
    }

    /// Whether a listed difference excuses it.
    pub fn is_listed(&self) -> bool {
        self.kept_from.is_none() && differences::listed(&self.case, &self.verdict).is_some()
    }

    fn show(&self, out: &mut String) {
        let unum = self.case.statement(Dialect::Unum);
        let mariadb = self.case.statement(Dialect::MariaDb);
        let _ = writeln!(out, "    {unum}");
        if mariadb != unum {
            let _ = writeln!(out, "      for MariaDB: {mariadb}");
        }
        if let Some(before) = &self.kept_from {
            let _ = writeln!(out, "      by the plan of: {before}");
        }
        match &self.verdict {
            Verdict::Wrong(gap) | Verdict::Shape(gap) => {
                let _ = writeln!(out, "      MariaDB: {}\n      Unum:    {}", cut(&gap.mariadb), cut(&gap.unum));
            }
            Verdict::UnumRefuses(why) | Verdict::Broken(why) => {
                let _ = writeln!(out, "      Unum:    {}", cut(why));
            }
            Verdict::UnumOnly(why) => {
                let _ = writeln!(out, "      MariaDB: {}", cut(why));
            }
            _ => {}
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(300).collect()
}

impl Report {
    /// The whole report.
    pub fn text(&self) -> String {
        let mut out = format!("{}\n", self.counts);
        let of = |wanted: fn(&Verdict) -> bool| self.failures.iter().filter(move |failure| wanted(&failure.verdict));
        section(&mut out, "BROKEN", of(|verdict| matches!(verdict, Verdict::Broken(_))));
        section(
            &mut out,
            "WRONG",
            of(|verdict| matches!(verdict, Verdict::Wrong(_) | Verdict::UnumRefuses(_) | Verdict::UnumOnly(_))),
        );
        section(&mut out, "LATE", of(|verdict| matches!(verdict, Verdict::Late)));
        section(&mut out, "ANOTHER SHAPE", of(|verdict| matches!(verdict, Verdict::Shape(_))));
        groups(&mut out, "REFUSED BY UNUM ONLY", &self.refused);
        groups(&mut out, "ANSWERED BY UNUM ONLY", &self.taken);
        section(&mut out, "LISTED", self.listed.iter());
        out
    }
}

/// Failures by what is left of them, most frequent first.
fn section<'a>(out: &mut String, title: &str, failures: impl Iterator<Item = &'a Failure>) {
    let mut by_construct: BTreeMap<String, Vec<&Failure>> = BTreeMap::new();
    for failure in failures {
        let constructs = failure.constructs();
        let kept = if failure.kept_from.is_some() { "KEPT PLAN of " } else { "" };
        let label = if constructs.is_empty() { "a literal or a column".to_owned() } else { constructs.join(" + ") };
        by_construct.entry(format!("{kept}{label}")).or_default().push(failure);
    }
    let mut sorted: Vec<_> = by_construct.into_iter().collect();
    sorted.sort_by_key(|(_, failures)| std::cmp::Reverse(failures.len()));
    let count: usize = sorted.iter().map(|(_, failures)| failures.len()).sum();
    let _ = writeln!(out, "\n== {title}: {count} in {} groups", sorted.len());
    for (constructs, mut failures) in sorted {
        let _ = writeln!(out, "  {:4} × {constructs}", failures.len());
        failures.sort_by_key(|failure| failure.case.weight());
        let mut shown = Vec::new();
        for failure in failures {
            let statement = failure.case.statement(Dialect::Unum);
            if shown.len() < SHOWN_MAX && !shown.contains(&statement) {
                failure.show(out);
                shown.push(statement);
            }
        }
    }
}

fn groups(out: &mut String, title: &str, groups: &BTreeMap<String, (usize, Option<Failure>)>) {
    let mut sorted: Vec<_> = groups.iter().collect();
    sorted.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let count: usize = sorted.iter().map(|(_, (count, _))| count).sum();
    let _ = writeln!(out, "\n== {title}: {count} in {} groups", sorted.len());
    for (text, (count, failure)) in sorted {
        let constructs = failure.as_ref().map(|failure| failure.constructs().join(" + ")).unwrap_or_default();
        let _ = writeln!(out, "  {count:4} × {text}   [{constructs}]");
        if let Some(failure) = failure {
            failure.show(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_grouped_without_their_values() {
        assert_eq!(group_of("there is no function 'x1' at 12:3"), "there is no function … at #:#");
        assert_eq!(group_of("it's \"quoted\""), "it's …");
    }
}
