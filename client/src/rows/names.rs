//! Names of columns as SQL has them: `%CPU` becomes `pct_cpu`, `Mounted on` becomes `mounted_on`.

use std::collections::HashMap;

use unum_proto::model::ColumnName;
use unum_proto::model::limits::IDENTIFIER_CHARS_MAX;

/// Signs that are words.
const SIGNS: [(char, &str); 5] = [('%', "pct"), ('#', "no"), ('+', "plus"), ('&', "and"), ('@', "at")];

/// A legal name for what a header says, none of `taken`.
pub(super) fn legal(raw: &str, position: usize, taken: &HashMap<ColumnName, usize>) -> ColumnName {
    let mut name = String::new();
    for c in raw.trim().chars() {
        match (c, SIGNS.iter().find(|(sign, _)| *sign == c)) {
            (c, _) if c.is_ascii_alphanumeric() || c == '_' => name.push(c.to_ascii_lowercase()),
            (_, Some((_, word))) => name = format!("{}_{word}_", name.trim_end_matches('_')),
            // What has no letter of ASCII is left out, and parts words.
            _ => name.push('_'),
        }
    }
    let is_own = raw.starts_with('_');
    let words: Vec<&str> = name.split('_').filter(|word| !word.is_empty()).collect();
    let mut name = words.join("_");
    if is_own && !name.is_empty() {
        name.insert(0, '_');
    }
    if name.is_empty() {
        name = format!("column_{}", position + 1);
    } else if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name.truncate(IDENTIFIER_CHARS_MAX);
    let free = |name: &str| name.parse::<ColumnName>().ok().filter(|name| !taken.contains_key(name));
    free(&name).or_else(|| (2..).find_map(|number| free(&numbered(&name, number)))).expect("of all numbers one is free")
}

fn numbered(name: &str, number: usize) -> String {
    let end = format!("_{number}");
    format!("{}{end}", &name[..name.len().min(IDENTIFIER_CHARS_MAX - end.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_become_legal_names() {
        let mut taken = HashMap::new();
        for (raw, expected) in [
            ("%CPU", "pct_cpu"),
            ("Use%", "use_pct"),
            ("Mounted on", "mounted_on"),
            ("1K-blocks", "_1k_blocks"),
            ("ID#", "id_no"),
            ("MAJ:MIN", "maj_min"),
            ("MEM USAGE / LIMIT", "mem_usage_limit"),
            ("__REALTIME_TIMESTAMP", "_realtime_timestamp"),
            ("größe", "gr_e"),
            ("日本", "column_10"),
            ("", "column_11"),
            ("id", "id"),
            ("ID", "id_2"),
            ("Id", "id_3"),
        ] {
            let name = legal(raw, taken.len(), &taken);
            assert_eq!(name.as_str(), expected, "{raw:?}");
            taken.insert(name, taken.len());
        }
        let long = "x".repeat(200);
        let first = legal(&long, 0, &taken);
        taken.insert(first.clone(), 99);
        let second = legal(&long, 0, &taken);
        assert!(first.as_str().len() == IDENTIFIER_CHARS_MAX && second.as_str().ends_with("_2"));
    }
}
