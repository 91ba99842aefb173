//! The differences from MySQL that are meant, or that MariaDB has: by construct, each with its reason.
//!
//! They excuse a failing statement only if the shrinker could not get rid of the construct. At most [`MAX`] of them.

use super::case::Case;
use super::compare::Verdict;

/// How many there may be.
pub const MAX: usize = 40;

/// In which way a construct differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Unum refuses it.
    Refused,
    /// Unum takes what MariaDB refuses.
    Taken,
    /// The values differ, or their shape.
    Differs,
}

/// Which failures of a construct a difference excuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// All.
    Always,
    /// Those with a NULL in the statement.
    NullIsIn,
    /// Those where MariaDB answers with NULL.
    NullComesOut,
}

/// One difference.
#[derive(Debug)]
pub struct Difference {
    /// The constructs that have to be in the smallest failing statement, all of them.
    pub constructs: &'static [&'static str],
    /// In which way.
    pub way: Way,
    /// Which failures it excuses.
    pub when: When,
    /// Why that is right.
    pub reason: &'static str,
}

const fn differs(constructs: &'static [&'static str], reason: &'static str) -> Difference {
    Difference { constructs, way: Way::Differs, when: When::Always, reason }
}

/// All of them.
pub const DIFFERENCES: &[Difference] = &[
    differs(&["CHARSET"], "MariaDB names another character set for numbers and times"),
    differs(&["COERCIBILITY"], "MariaDB counts it in its own way"),
    differs(&["JSON_TYPE"], "MariaDB has other words for the types of numbers"),
    differs(&["WEIGHT_STRING"], "it is that of the judge's collation, which MySQL lacks"),
    Difference {
        constructs: &["JSON_VALUE"],
        way: Way::Differs,
        when: When::NullComesOut,
        reason: "MariaDB gives NULL for an array or an object; the manual: it is JSON_UNQUOTE of JSON_EXTRACT",
    },
    Difference {
        constructs: &["REPLACE"],
        way: Way::Differs,
        when: When::NullIsIn,
        reason: "MariaDB gives the text where nothing is replaced by NULL; the manual: NULL if any argument is",
    },
];

/// The difference that excuses the failure of this case, if there is one.
pub fn listed(case: &Case, verdict: &Verdict) -> Option<&'static Difference> {
    let way = match verdict {
        Verdict::UnumRefuses(_) => Way::Refused,
        Verdict::UnumOnly(_) => Way::Taken,
        Verdict::Wrong(_) | Verdict::Shape(_) => Way::Differs,
        _ => return None,
    };
    let constructs = case.tree().constructs();
    let applies = |difference: &&Difference| {
        difference.way == way
            && difference.constructs.iter().all(|construct| constructs.contains(construct))
            && match difference.when {
                When::Always => true,
                When::NullIsIn => case.tree().has_null(),
                When::NullComesOut => gives_null(verdict),
            }
    };
    DIFFERENCES.iter().find(applies)
}

fn gives_null(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Wrong(gap) if gap.mariadb.ends_with("NULL"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::generate::functions::FUNCTIONS;

    #[test]
    fn there_are_few_and_each_is_of_a_construct() {
        assert!(DIFFERENCES.len() <= MAX);
        for construct in DIFFERENCES.iter().flat_map(|difference| difference.constructs) {
            assert!(FUNCTIONS.iter().any(|function| function.name == *construct), "{construct}");
        }
    }
}
