//! The nearest known name to one that is not known.

/// A name so different is no typing mistake.
const SIMILARITY_MIN: f64 = 0.7;

/// The most similar candidate, if one is similar.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = candidates.into_iter().map(|candidate| (strsim::jaro_winkler(name, candidate), candidate));
    let (similarity, candidate) = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (similarity >= SIMILARITY_MIN).then_some(candidate)
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
