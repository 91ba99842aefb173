//! What is a secret: by the name of a setting, by what a value looks like. Who publishes masks it, before it leaves the node.
//!
//! A guess, and made so that it errs on the side of hiding: what is no secret and is hidden can be read on its node.

use super::config::MASK;

/// Words that make a setting a secret, alone or at the end of another word.
const WORDS: [&str; 20] = [
    "accesskey",
    "apikey",
    "authkey",
    "auth",
    "conninfo",
    "credential",
    "credentials",
    "dsn",
    "key",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "pwd",
    "secret",
    "secrets",
    "token",
    "tokens",
    "webhook",
];

/// The same, of which words are made: `requirepass`, `dbpassword`.
const ENDS: [&str; 11] = [
    "apikey",
    "authtoken",
    "masterauth",
    "passphrase",
    "passwd",
    "password",
    "requirepass",
    "secret",
    "secretkey",
    "token",
    "userpass",
];

/// Two words that are one: `sasl.jaas.config`, `connection_string`.
const PAIRS: [(&str, &str); 6] = [
    ("connection", "string"),
    ("jaas", "config"),
    ("webhook", "url"),
    ("webhook", "uri"),
    ("service", "account"),
    ("secret", "name"),
];

/// What a secret has, and is none: its length, how long it lives, where it is.
const ABOUT: [&str; 48] = [
    "algorithm",
    "buffer",
    "cache",
    "chars",
    "checks",
    "class",
    "count",
    "dir",
    "directory",
    "enable",
    "enabled",
    "encryption",
    "expiration",
    "expire",
    "expiry",
    "file",
    "format",
    "history",
    "interval",
    "length",
    "level",
    "lifetime",
    "limit",
    "max",
    "method",
    "min",
    "mode",
    "name",
    "number",
    "path",
    "plugin",
    "policy",
    "provider",
    "ratio",
    "required",
    "reuse",
    "rotation",
    "rounds",
    "size",
    "source",
    "threshold",
    "timeout",
    "ttl",
    "type",
    "url",
    "user",
    "username",
    "verify",
];

/// Words behind which a key is none that opens something.
const NO_KEY: [&str; 14] = [
    "cache",
    "foreign",
    "hash",
    "host",
    "hot",
    "index",
    "partition",
    "primary",
    "public",
    "range",
    "routing",
    "shard",
    "sort",
    "unique",
];

/// How tokens begin that people paste: of GitHub, GitLab, Slack, AWS, Google, OpenAI, Vault, npm, SendGrid, JWT.
const TOKENS: [(&str, usize); 18] = [
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("github_pat_", 30),
    ("glpat-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("xoxa-", 20),
    ("AKIA", 20),
    ("ASIA", 20),
    ("AIza", 30),
    ("sk-", 24),
    ("sk_live_", 20),
    ("hvs.", 20),
    ("npm_", 30),
    ("pypi-", 30),
    ("SG.", 30),
    ("eyJ", 40),
];

/// Addresses that are secrets as a whole.
const HOOKS: [&str; 3] = ["hooks.slack.com/services/", "/api/webhooks/", "webhook.office.com/"];

/// What stands around words.
const QUOTES: [char; 3] = ['"', '\'', '`'];

/// Whether the value of a setting is a secret, as far as its name says.
pub fn is_secret(key: &str) -> bool {
    let segments: Vec<Vec<String>> =
        key.split(['.', '/', '[', ']', ':']).map(words).filter(|words| !words.is_empty()).collect();
    let all: Vec<&str> = segments.iter().flatten().map(String::as_str).collect();
    let Some(last) = all.last() else { return false };
    let is_number = last.chars().all(|c| c.is_ascii_digit());
    let words = if is_number { &all[..all.len() - 1] } else { &all[..] };
    let Some((last, before)) = words.split_last() else { return false };
    let pair = before.last().is_some_and(|before| PAIRS.contains(&(*before, *last)));
    if pair {
        return true;
    }
    if ABOUT.contains(last) {
        return false;
    }
    let is_key = |at: usize| !(words[at] == "key" && at > 0 && NO_KEY.contains(&words[at - 1]));
    let is_word = |at: usize| WORDS.contains(&words[at]) && is_key(at);
    let ends = |word: &str| ENDS.iter().any(|end| word.ends_with(end));
    // Of the last segment any word counts: `password_2`. Of those before it, what holds secrets: `secrets.db`.
    let own = segments.iter().rev().find(|words| !words.iter().all(|word| word.chars().all(|c| c.is_ascii_digit())));
    let own = own.map_or(0, Vec::len).min(words.len());
    let start = words.len() - own;
    (start..words.len()).any(|at| is_word(at) || ends(words[at]))
        || words[..start].iter().any(|word| matches!(*word, "secrets" | "secret" | "passwords" | "credentials"))
}

/// `sslKey-file` is ssl, key, file.
fn words(segment: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_lower = false;
    for c in segment.chars() {
        let is_new = c.is_ascii_uppercase() && before_lower;
        before_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        if is_new || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a value is a secret, or has one in it, as far as it looks like it.
pub fn is_secret_value(value: &str) -> bool {
    let is_pem = value.contains("-----BEGIN ") && value.contains("PRIVATE KEY");
    let is_hook = HOOKS.iter().any(|hook| value.contains(hook));
    is_pem
        || is_hook
        || value.split(|c: char| c.is_whitespace() || ",;<>()".contains(c)).any(is_secret_word)
        || has_bearer(value)
}

/// `Bearer abc`, as in headers.
fn has_bearer(value: &str) -> bool {
    let mut words = value
        .split_whitespace()
        .skip_while(|word| !word.trim_start_matches(['"', '\'']).eq_ignore_ascii_case("bearer"));
    words.next().is_some() && words.next().is_some_and(|token| token.len() >= 8)
}

fn is_secret_word(word: &str) -> bool {
    let word = word.trim_matches(QUOTES);
    let is_token = TOKENS.iter().any(|(start, length)| word.starts_with(start) && word.len() >= *length);
    is_token || has_password_in_address(word) || has_secret_part(word)
}

/// `mysql://me:pass@host`, `me:pass@tcp`.
fn has_password_in_address(word: &str) -> bool {
    let rest = word.split_once("://").map_or(word, |(_, rest)| rest);
    let Some((user, host)) = rest.split('/').next().and_then(|before| before.rsplit_once('@')) else { return false };
    let is_address = word.contains("://") || ["tcp", "unix"].iter().any(|net| host.starts_with(net));
    is_address && user.split_once(':').is_some_and(|(_, password)| !password.is_empty())
}

/// `password=abc`, `--token=abc`, `?apikey=abc`: a name that says it, and something behind it.
fn has_secret_part(word: &str) -> bool {
    word.split(['&', '?']).any(|part| {
        let Some((name, value)) = part.split_once('=') else { return false };
        let (name, value) = (name.trim_start_matches('-'), value.trim_matches(QUOTES));
        !value.is_empty() && value != MASK && !name.is_empty() && name.len() <= 64 && name != "key" && is_secret(name)
    })
}

/// A text without these secrets, and without what looks like one.
pub fn redacted<'a>(text: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = text.to_owned();
    for secret in secrets.into_iter().filter(|secret| !secret.is_empty()) {
        // As it is, and as it is quoted.
        let quoted = format!("{secret:?}");
        text = text.replace(secret, MASK).replace(quoted.trim_matches('"'), MASK);
    }
    if !is_secret_value(&text) {
        return text;
    }
    if text.contains("-----BEGIN ") {
        return MASK.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        let is_secret = is_secret_value(bare) || shown.trim_end().to_lowercase().ends_with("bearer");
        shown.push_str(if is_secret { MASK } else { bare });
        shown.push_str(&word[bare.len()..]);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_names() {
        for key in [
            "security.password",
            "s3.access-key",
            "AUTH_TOKEN",
            "tls.key",
            "ssl-key",
            "requirepass",
            "masterauth",
            "dsn",
            "primary_conninfo",
            "sasl.jaas.config",
            "alerts.webhook",
            "slack.webhook_url",
            "apiKey",
            "api-key",
            "db.pwd",
            "secrets.db",
            "password_2",
            "users[0].password",
            "tokens[1]",
            "connectionString",
            "client.secretKey",
            "dbpassword",
            "basic_auth.password",
            "encryption_key",
            "ssl_passphrase",
        ] {
            assert!(is_secret(key), "{key}");
        }
        for key in [
            "log.level",
            "raftstore.hotkey-threshold",
            "monkey",
            "keyspace.size",
            "mysqld.key_buffer_size",
            "token-limit",
            "foreign_key_checks",
            "mysqld.foreign_key",
            "password_encryption",
            "default_password_lifetime",
            "ssl_key_file",
            "authentication_timeout",
            "partition-key",
            "sort.key.type",
            "tokenizer",
            "keepalive",
            "passive",
            "bypass_cache",
            "author",
            "public-key",
            "secret.ttl",
            "auth.type",
        ] {
            assert!(!is_secret(key), "{key}");
        }
    }

    #[test]
    fn secrets_are_known_by_what_they_look_like() {
        for value in [
            "mysql://root:hush@127.0.0.1:3306/db",
            "root:hush@tcp(10.0.0.1:3306)/db",
            "redis://:hush@host",
            "host=db user=me password=hush",
            "org.apache.kafka…PlainLoginModule required username=\"a\" password=\"hush\";",
            "-----BEGIN RSA PRIVATE KEY-----\nabc",
            "ghp_0123456789abcdefghijklmnopqrstuvwxyz",
            "AKIAIOSFODNN7EXAMPLE",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc",
            "https://hooks.slack.com/services/T0/B0/xyz",
            "https://x.example.com/push?token=hush",
            "Authorization: Bearer abcdefgh",
            "mysqldump --password=hush db",
        ] {
            assert!(is_secret_value(value), "{value}");
        }
        for value in [
            "info",
            "http://host:2379",
            "/etc/ssl/private/x.key",
            "127.0.0.1:3306",
            "me@host:/srv",
            "user@example.com",
            "a=b",
            "key=value",
            "-----BEGIN CERTIFICATE-----",
            "bearer",
            "password=",
            "16KB",
            "skip",
            "SELECT 1",
            "http://host/a@b:c",
            "%d{ISO8601} [%t] %-5p",
        ] {
            assert!(!is_secret_value(value), "{value}");
        }
    }

    #[test]
    fn what_is_told_has_no_secret_in_it() {
        let told = redacted("cannot set \"hu\\\"sh\" at mysql://a:b@c: no", ["hu\"sh"]);
        assert_eq!(told, "cannot set \"******\" at ****** no");
        assert_eq!(redacted("all is well", ["hush", ""]), "all is well");
        assert_eq!(
            redacted("curl -H 'Authorization: Bearer abcdefghij' x", []),
            "curl -H 'Authorization: Bearer ****** x"
        );
    }
}
