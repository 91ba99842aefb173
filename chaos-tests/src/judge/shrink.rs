//! Makes a statement that fails smaller, as long as it fails in the same way.

use super::case::Case;
use super::compare::Verdict;
use super::court::Court;
use super::differences;
use super::report::group_of;
use super::tree::{Dialect, Sort, Tree};

/// How many smaller statements are tried of one.
const TRIES_MAX: usize = 150;

/// The smallest statement that was found, and what comes of it.
pub async fn shrink(court: &Court, case: Case, verdict: Verdict) -> anyhow::Result<(Case, Verdict)> {
    let (mut smallest, mut found) = whatever_the_order(court, case, verdict).await?;
    let mut tries = 0;
    let is_listed = |case: &Case, verdict: &Verdict| differences::listed(case, verdict).is_some();
    'smaller: loop {
        // One construct that is excused: other values in it say no more.
        if smallest.tree().constructs().len() <= 1 && is_listed(&smallest, &found) {
            break;
        }
        for candidate in candidates(&smallest, &found) {
            tries += 1;
            if tries > TRIES_MAX {
                break 'smaller;
            }
            let verdict = court.judge(&candidate).await?;
            // What no difference excuses is not to become what one does, unless that was a part of it.
            let slips =
                is_listed(&candidate, &verdict) && !is_listed(&smallest, &found) && !is_part(&candidate, &smallest);
            if is_same_failure(&found, &verdict) && !slips {
                (smallest, found) = (candidate, verdict);
                continue 'smaller;
            }
        }
        break;
    }
    Ok((smallest, found))
}

/// The case without an order, if it fails then, too: where the order counts, another SELECT may not stand in a SELECT's
/// place, for it may have columns that the order does not tell.
async fn whatever_the_order(court: &Court, case: Case, verdict: Verdict) -> anyhow::Result<(Case, Verdict)> {
    if let Case::Query { tree, ordered: true } = &case {
        let unordered = Case::Query { tree: tree.clone(), ordered: false };
        let found = court.judge(&unordered).await?;
        if is_same_failure(&found, &verdict) {
            return Ok((unordered, found));
        }
    }
    Ok((case, verdict))
}

/// Whether a tree is a part of another, or the same constructs over other values.
fn is_part(candidate: &Case, of: &Case) -> bool {
    let text = |case: &Case| case.tree().render(Dialect::Unum);
    candidate.tree().constructs() == of.tree().constructs() || text(of).contains(&text(candidate))
}

/// Whether two statements fail in one way.
fn is_same_failure(one: &Verdict, other: &Verdict) -> bool {
    match (one, other) {
        (Verdict::UnumRefuses(one), Verdict::UnumRefuses(other)) | (Verdict::Broken(one), Verdict::Broken(other)) => {
            group_of(one) == group_of(other)
        }
        (Verdict::UnumOnly(one), Verdict::UnumOnly(other)) => group_of(one) == group_of(other),
        _ => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

/// All that is one step smaller, the smallest first.
fn candidates(case: &Case, verdict: &Verdict) -> Vec<Case> {
    let differing = match verdict {
        Verdict::Wrong(gap) | Verdict::Shape(gap) => gap.key.as_ref().and_then(|key| key.parse().ok()),
        _ => None,
    };
    let mut candidates = case.framed_smaller(differing);
    let keeps_queries = matches!(case, Case::Query { ordered: true, .. });
    candidates.extend(cuts(case.tree(), keeps_queries).into_iter().map(|tree| case.with_tree(tree)));
    candidates.retain(|candidate| candidate.weight() < case.weight());
    candidates.sort_by_key(Case::weight);
    candidates
}

/// All trees with one cut; `keeps_queries` if no SELECT may stand in another one's place.
fn cuts(tree: &Tree, keeps_queries: bool) -> Vec<Tree> {
    let mut cut = Vec::new();
    if tree.is_value() {
        cut.extend(["NULL", "0", "1", "'a'"].map(|text| Tree::Literal(text.into(), 'x')));
    }
    let Tree::Node(construct, sort, parts) = tree else { return cut };
    match sort {
        Sort::Value => cut.extend(nearest(parts, &Tree::is_value)),
        Sort::Optional => cut.push(Tree::words("")),
        Sort::Query if keeps_queries => {}
        Sort::Query => cut.extend(nearest(parts, &|tree| matches!(tree, Tree::Node(_, Sort::Query, _)))),
        Sort::List(_, min) if parts.len() > *min => {
            cut.extend((0..parts.len()).map(|position| {
                let mut parts = parts.clone();
                parts.remove(position);
                Tree::Node(construct, *sort, parts)
            }));
        }
        Sort::List(..) | Sort::Plain => {}
    }
    for (position, part) in parts.iter().enumerate() {
        cut.extend(cuts(part, keeps_queries).into_iter().map(|smaller| {
            let mut parts = parts.clone();
            parts[position] = smaller;
            Tree::Node(construct, *sort, parts)
        }));
    }
    cut
}

/// The trees of a kind that no other one of that kind is around.
fn nearest(parts: &[Tree], wanted: &impl Fn(&Tree) -> bool) -> Vec<Tree> {
    let mut found = Vec::new();
    for part in parts {
        match part {
            part if wanted(part) => found.push(part.clone()),
            Tree::Node(_, _, parts) => found.extend(nearest(parts, wanted)),
            _ => {}
        }
    }
    found
}
