//! What is written in which format, and what is refused.

use super::*;

const TOML: &str = "# the server\nport = 80 # as always\n[log]\nlevel = \"warn\" # quiet\nfiles = [1, 2]\n[tls]\n\"min.version\" = 1.2\non = true\n";
const YAML: &str = "# the server\nport: 80 # as always\nlog:\n  level: warn # quiet\n  files: [1, 2]\ntls:\n  version: 1.2\n  on: true\n  name: 'a b'\n";
const INI: &str = "; the server\nport = 80\n\n[log]\nlevel=warn ; quiet\n# more\n[tls]\non = true\n";

fn set(format: Format, text: &str, key: &str, value: &str) -> Result<String, ConfigOutcome> {
    format.replaced(text.as_bytes(), key, value).map(|bytes| String::from_utf8(bytes).unwrap())
}

/// The text with the new value, which has this part.
fn written(format: Format, text: &str, key: &str, new: &str, expected: &str) -> String {
    let after = set(format, text, key, new).unwrap_or_else(|e| panic!("{text:?}: {e:?}"));
    assert!(after.contains(expected), "{after:?} and not {expected:?}");
    after
}

#[test]
fn a_value_is_replaced_where_it_stands_and_all_else_stays() {
    for (format, text, changes) in [
        (
            Format::Toml,
            TOML,
            vec![("log.level", "info"), ("port", "8080"), ("tls.min.version", "1.3"), ("tls.on", "false")],
        ),
        (
            Format::Yaml,
            YAML,
            vec![("log.level", "info: x"), ("port", "8080"), ("tls.on", "false"), ("tls.name", "it's")],
        ),
        (Format::Ini, INI, vec![("port", "8080"), ("tls.on", "false")]),
    ] {
        for (key, value) in changes {
            let after = set(format, text, key, value).unwrap_or_else(|e| panic!("{format:?} {key}: {e:?}"));
            let differ = text.lines().zip(after.lines()).filter(|(a, b)| a != b).count();
            assert_eq!((differ, text.lines().count()), (1, after.lines().count()), "{after}");
            let comments = |text: &str| text.matches(['#', ';']).count();
            assert_eq!(comments(text), comments(&after), "{after}");
            let now = format.entries(after.as_bytes()).unwrap().into_iter().find(|entry| entry.key == key).unwrap();
            assert_eq!(now.value.as_deref(), Some(value), "{after}");
        }
    }
}

/// What a key is in a text, and what it is when nobody sets it.
fn value(format: Format, text: &str, key: &str) -> (Option<String>, Option<String>) {
    let entries = format.entries(text.as_bytes()).unwrap_or_else(|e| panic!("{text:?}: {e}"));
    let entry = entries.into_iter().find(|entry| entry.key == key).unwrap_or_else(|| panic!("no {key} in {text:?}"));
    (entry.value, entry.default)
}

#[test]
fn what_is_commented_out_is_set_behind_its_comment() {
    for (format, text, key, default, new, expected) in [
        (
            Format::Toml,
            "[log]\n## How much.\n# level = \"info\"\n[[a.b]]\n[[a.b]]\n# size = 3 # MB\nnote = \"\"\"\n# level = 1\n\"\"\"\n",
            "log.level",
            "info",
            "warn",
            "# level = \"info\"\nlevel = \"warn\"\n",
        ),
        (Format::Toml, "[[a.b]]\n[[a.b]]\n# size = 3 # MB\n", "a.b[1].size", "3", "4", "# size = 3 # MB\nsize = 4\n"),
        (
            Format::MySql,
            "[mysqld]\n#max_connections        = 100\n# a sentence = none\n",
            "mysqld.max_connections",
            "100",
            "200",
            "= 100\nmax_connections = 200\n",
        ),
        (
            Format::PostgreSql,
            "#work_mem = 4MB\t\t# min 64kB\r\n",
            "work_mem",
            "4MB",
            "8MB",
            "64kB\r\nwork_mem = 8MB\r\n",
        ),
        (Format::Ini, ";app_mode = production\n", "app_mode", "production", "dev", "production\napp_mode = dev\n"),
        (Format::Ssh, "#Port 22\n#This is a sentence of many words.\n", "Port", "22", "2222", "#Port 22\nPort 2222\n"),
        (Format::Systemd, "[Manager]\n#LogLevel=info\n", "Manager.LogLevel", "info", "debug", "info\nLogLevel=debug\n"),
    ] {
        assert_eq!(value(format, text, key), (None, Some(default.to_owned())), "{text:?}");
        let after = written(format, text, key, new, expected);
        assert_eq!(value(format, &after, key).0.as_deref(), Some(new), "{after:?}");
    }
}

#[test]
fn programs_read_what_is_written() {
    for (format, text, key, old, new, expected) in [
        (
            Format::MySql,
            "[m]\ninit_connect='SET NAMES utf8 ; SET x=1'\n",
            "m.init_connect",
            "SET NAMES utf8 ; SET x=1",
            "SET NAMES 'x' # y",
            "init_connect='SET NAMES \\'x\\' # y'\n",
        ),
        (Format::MySql, "[m]\npassword = \"a#b\" # c\n", "m.password", "a#b", "c#d", "password = \"c#d\" # c\n"),
        (Format::MySql, "[m]\npassword = a#b\n", "m.password", "a", "c", "password = c#b\n"),
        (Format::MySql, "[m]\nskip-name-resolve\n", "m.skip-name-resolve", "", "0", "skip-name-resolve=0\n"),
        (
            Format::PostgreSql,
            "Log_Line_Prefix '%m ''x'' \\t'\n",
            "log_line_prefix",
            "%m 'x' \t",
            "it's",
            "Log_Line_Prefix 'it''s'\n",
        ),
        (Format::Redis, "save 900 1\nsave 300 10\n", "save[1]", "300 10", "60 5", "save 60 5\n"),
        (Format::Redis, "requirepass foobared\n", "requirepass", "foobared", "a b\"c", "requirepass \"a b\\\"c\"\n"),
        (
            Format::Ssh,
            "Port 22\nMatch User git\n  X11Forwarding no\n",
            "Match_User_git.X11Forwarding",
            "no",
            "yes",
            "  X11Forwarding yes\n",
        ),
        (
            Format::Nginx,
            "http { server { listen 80; } server { listen 81; } }\n",
            "http.server[1].listen",
            "81",
            "82",
            "server { listen 82; }",
        ),
        (
            Format::Systemd,
            "[Service]\nExecStart=/a \\\n  -x\nExecStart=/b\n",
            "Service.ExecStart[0]",
            "/a  -x",
            "/c",
            "ExecStart=/c\nExecStart=/b\n",
        ),
        (Format::Toml, "a = [1, 2]\n[[b]]\nc = 'x'\n[[b]]\nc = 'y'\n", "b[1].c", "y", "z", "c = \"z\"\n"),
        (Format::Toml, "a = [1, 2]\n", "a[1]", "2", "3", "a = [1, 3]\n"),
        (Format::Yaml, "a: yes\nb: [x, 'y']\n", "a", "yes", "false", "a: no\n"),
        (Format::Yaml, "a: b\n", "a", "b", "yes", "a: 'yes'\n"),
        (Format::Yaml, "a:\n- b: 1\n- b: 2\n", "a[1].b", "2", "3", "- b: 3\n"),
        (Format::Yaml, "a: 1\n---\na: 2\n", "[1].a", "2", "3", "---\na: 3\n"),
    ] {
        assert_eq!(value(format, text, key).0.as_deref(), Some(old), "{text:?}");
        written(format, text, key, new, expected);
    }
    for (format, text) in [
        (Format::Nginx, "content_by_lua_block { ngx.say('x') }\n"),
        (Format::Nginx, "http { server {\n"),
        (Format::PostgreSql, "port = 1 2\n"),
        (Format::MySql, "port = 1\n"),
        (Format::Redis, "requirepass \"x\n"),
        (Format::Ini, "a = 1\nb c\n"),
    ] {
        assert!(format.entries(text.as_bytes()).is_err(), "{text:?}");
    }
}

/// Found by somebody who knew these programs better than whoever wrote this.
#[test]
fn what_a_program_reads_otherwise_is_written_otherwise() {
    for (format, text, key, new, expected) in [
        (
            Format::Systemd,
            "[Service]\nExecStart=/bin/echo a\\\\\nUser=nobody\n",
            "Service.ExecStart",
            "/b",
            "ExecStart=/b\nUser=nobody\n",
        ),
        (Format::PostgreSql, "effective_cache_size = 4GB\n", "effective_cache_size", "1.5GB", "= '1.5GB'\n"),
        (Format::PostgreSql, "random_page_cost = 4.0\n", "random_page_cost", "1e3", "= '1e3'\n"),
        (Format::PostgreSql, "random_page_cost = 4.0\n", "random_page_cost", "1.5", "= 1.5\n"),
        (Format::PostgreSql, "cluster_name = main\n", "cluster_name", "db.example", "= 'db.example'\n"),
        (Format::Ssh, "AllowUsers alice\n", "AllowUsers", "alice bob", "AllowUsers alice bob\n"),
        (
            Format::Ssh,
            "ForceCommand internal-sftp\n",
            "ForceCommand",
            "internal-sftp -l INFO",
            "internal-sftp -l INFO\n",
        ),
        (Format::Ssh, "Banner /a\n", "Banner", "/a b", "Banner \"/a b\"\n"),
        (Format::Ssh, "port 22\n#Port 22\n", "port", "23", "port 23\n"),
        (Format::Nginx, "server_name a.com;\n", "server_name", "a.com www.a.com", "server_name a.com www.a.com;\n"),
        (Format::Nginx, "listen 80;\n", "listen", "127.0.0.1:80", "listen 127.0.0.1:80;\n"),
        (Format::MySql, "[m]\nx = a\n", "m.x", "voilà", "x = \"voilà\"\n"),
        (
            Format::MySql,
            "[m]\nmax-connections=1\nmax_connections=2\n",
            "m.max-connections",
            "3",
            "=1\nmax_connections=3\n",
        ),
        (Format::MySql, "[m]\nsize=134217728\n", "m.size", "1G", "size=1G\n"),
        (Format::Redis, "requirepass \"\\x41b\"\n", "requirepass", "x", "requirepass \"x\"\n"),
        (Format::Yaml, "a: \"x\"\n", "a", "x\u{7f}y", "a: \"x\\u007fy\"\n"),
        (Format::Yaml, "mode: 0644\nport: 8080:80\nip: 10.0.0.1\n", "mode", "0755", "mode: 0755\n"),
        (Format::Yaml, "ip: 10.0.0.1\n", "ip", "10.0.0.2", "ip: 10.0.0.2\n"),
    ] {
        written(format, text, key, new, expected);
    }
    for (format, text, key, new) in [
        (Format::Yaml, "a: &x 1\nb: *x\n", "a", "2"),
        (Format::Yaml, "base: &c # shared\n  restart: always\nweb:\n  <<: *c\n", "base.restart", "no"),
        (Format::Yaml, "d: 2024-01-01\n", "d", "2024-13-45"),
        (Format::Yaml, "m: 0644\n", "m", "0988"),
        (Format::Ini, "[x]\nlevel=warn ; quiet\n", "x.level", "info"),
        (Format::Ini, "[x]\nk = 1\n", "x.k", "100%"),
        (Format::Ini, "[x]\nenvironment=\n    A=\"1\",\n    B=\"2\"\n", "x.environment", "C=3"),
        (Format::Nginx, "log_format main a;\n", "log_format", "main \"a\"b"),
        (Format::Redis, "save 3600 1\n", "save", "\"3600\"1"),
        (Format::MySql, "[m]\nx=1\n", "m.x", "banana"),
    ] {
        let outcome = set(format, text, key, new);
        assert!(matches!(outcome, Err(ConfigOutcome::Rejected(_))), "{text:?}: {outcome:?}");
    }
}

#[test]
fn what_does_not_fit_is_rejected() {
    for (format, text) in [(Format::Toml, TOML), (Format::Yaml, YAML)] {
        for (key, value) in [("port", "many"), ("nonsense", "1")] {
            let outcome = set(format, text, key, value).expect_err(key);
            assert!(matches!(outcome, ConfigOutcome::Rejected(_)), "{outcome:?}");
        }
    }
    assert!(matches!(set(Format::Toml, "port = = 1", "port", "1"), Err(ConfigOutcome::Failed(_))));
    assert!(Format::of_file(Path::new("a.xml")).is_err());
}
