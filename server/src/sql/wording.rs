//! Messages of DataFusion's in the words of who wrote SQL: without its types, its operators and its own advice.

/// What follows the name of a table that is called otherwise in the plan. Nobody sees it.
pub const RENAMED: char = '\u{200b}';

/// DataFusion says in front where it was when it found the mistake, which helps no one who wrote SQL.
const PREFIXES: [&str; 8] = [
    "Error during planning: ",
    "This feature is not implemented: ",
    "Schema error: ",
    "SQL error: ",
    "Execution error: ",
    "Arrow error: ",
    "Internal error: ",
    "External error: ",
];

/// Where its advice to its own developers begins.
const ADVICE: [&str; 4] =
    ["This issue was likely caused", "This was likely caused", "Please help us to resolve this", "\n\nbacktrace"];

/// What nobody typed: a message with one of these says nothing to who reads it.
const INSIDE: [&str; 27] = [
    "#",
    "AggregateFunction",
    "Binary(",
    "BinaryExpr",
    "Cast error",
    "DataFusion",
    "Expr::",
    "Field {",
    "InSubquery",
    "Location(",
    "LogicalPlan",
    "OuterReference",
    "Physical plan",
    "PhysicalExpr",
    "Plan: [",
    "Projection:",
    "SanityCheck",
    "ScalarFunction",
    "ScalarSubquery",
    "ScalarValue",
    "Span(",
    "Span {",
    "Subquery {",
    "WindowFunction",
    "ast node",
    "optimizer rule",
    "type_coercion",
];

/// The message in words of SQL; none if it has no such words.
pub fn in_sql(message: &str) -> Option<String> {
    let plain = without_prefixes(first_sentence(message));
    if let Some(node) = plain.strip_prefix("Unsupported ast node ") {
        let name: String = node.chars().take_while(char::is_ascii_alphanumeric).collect();
        return Some(format!("{} is not there; docs/SQL.md lists what there is", spaced(&name)));
    }
    let plain = with_plain_literals(plain);
    (!INSIDE.iter().any(|word| plain.contains(word))).then_some(plain)
}

/// Without what follows for developers.
pub fn first_sentence(message: &str) -> &str {
    let end = ADVICE.iter().filter_map(|advice| message.find(advice)).min().unwrap_or(message.len());
    message[..end].trim_end_matches(['.', '\n', ' '])
}

fn without_prefixes(message: &str) -> &str {
    match PREFIXES.iter().find_map(|prefix| message.strip_prefix(prefix)) {
        Some(rest) => without_prefixes(rest),
        None => message,
    }
}

/// `JsonTable` as `JSON TABLE`.
fn spaced(name: &str) -> String {
    let mut spaced = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !spaced.is_empty() {
            spaced.push(' ');
        }
        spaced.push(letter.to_ascii_uppercase());
    }
    spaced
}

/// `Int64(1)` as `1`, `Utf8("a")` as `"a"`; and tables by the names that they have in the statement.
fn with_plain_literals(message: &str) -> String {
    const TYPES: [&str; 8] = ["Int64(", "UInt64(", "Float64(", "Utf8(", "Boolean(", "Decimal128(", "Date32(", "Null("];
    let mut left = message;
    let mut plain = String::with_capacity(message.len());
    while let Some((at, name)) =
        TYPES.iter().filter_map(|name| left.find(name).map(|at| (at, *name))).min_by_key(|(at, _)| *at)
    {
        // A longer word, as UInt64 is of Int64, is found first.
        let inner = &left[at + name.len()..];
        let Some(end) = closing(inner, '"') else { break };
        plain.push_str(&left[..at]);
        plain.push_str(inner[..end].trim_start_matches("Some(").trim_end_matches(')'));
        left = &inner[end + 1..];
    }
    plain.push_str(left);
    plain.replace(RENAMED, "")
}

/// Where the parenthesis is closed, outside of quotes.
pub fn closing(text: &str, quote: char) -> Option<usize> {
    let (mut depth, mut quoted) = (0_usize, false);
    for (at, letter) in text.char_indices() {
        match letter {
            letter if letter == quote => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth == 0 => return Some(at),
            ')' if !quoted => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_only_words_of_sql() {
        for (message, expected) in [
            ("Error during planning: the table t has no k", Some("the table t has no k")),
            ("Schema error: Int64(1) + Utf8(\"a (b\") is no condition", Some("1 + \"a (b\" is no condition")),
            (
                "Unsupported ast node JsonTable { span: Span(Location(1,2)) }",
                Some("JSON TABLE is not there; docs/SQL.md lists what there is"),
            ),
            ("Physical plan does not support logical expression ScalarSubquery(<subquery>)", None),
            ("Error during planning: no. This issue was likely caused by a bug in DataFusion", Some("no")),
        ] {
            assert_eq!(in_sql(message).as_deref(), expected, "{message}");
        }
    }
}
