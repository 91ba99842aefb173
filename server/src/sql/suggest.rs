//! The nearest known name to one that is not known.

use super::Error;

/// A name so different is no typing mistake.
const SIMILARITY_MIN: f64 = 0.8;

/// The most similar candidate, if one is similar.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = candidates.into_iter().map(|candidate| (strsim::jaro_winkler(name, candidate), candidate));
    let (similarity, candidate) = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (similarity >= SIMILARITY_MIN).then_some(candidate)
}

/// The error for a name that is not known: the nearest one, or else what lists them.
pub fn unknown(what: &str, name: &str, near: Option<&str>, list: &str) -> Error {
    let remedy = near.map_or_else(|| format!("{list} lists what there is"), |near| format!("did you mean {near}?"));
    Error::Invalid(format!("there is no {what} {name}; {remedy}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn typing_mistakes_find_their_name() {
        let names = ["nodes", "replicas", "cluster_node_infos", "cluster_slow_query"];
        for (typed, expected) in [
            ("node", Some("nodes")),
            ("cluster_node_info", Some("cluster_node_infos")),
            ("cluster_slowquery", Some("cluster_slow_query")),
            ("xyz", None),
        ] {
            assert_eq!(super::nearest(typed, names), expected, "{typed}");
        }
    }
}
