//! What programs print, each in its published shape, is a table in one step: `outputs/` has a file of each.

use std::path::Path;

use unum_client::rows::{Format, Reading, Rows};

/// A file, its format, its columns, how many rows it has, and some cells: row, column, and the value as it is shown.
struct Case {
    file: &'static str,
    path: Option<&'static str>,
    format: Format,
    columns: &'static str,
    rows: usize,
    cells: &'static [(usize, &'static str, &'static str)],
}

fn case(
    file: &'static str,
    format: Format,
    columns: &'static str,
    rows: usize,
    cells: &'static [(usize, &'static str, &'static str)],
) -> Case {
    Case { file, path: None, format, columns, rows, cells }
}

fn read(case: &Case) -> Result<Rows, String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outputs").join(case.file);
    let bytes = std::fs::read(&file).expect("it is there");
    let path = case.path.map(|path| path.parse().expect("a path"));
    let reading = Reading { path, nulls: vec!["NULL".into(), "<none>".into()], ..Reading::default() };
    // By its content alone, as it would come through a pipe.
    reading.table("t", None, &bytes).map_err(|e| format!("{}: {e}", case.file))
}

#[test]
fn every_output_is_a_table_in_one_step() {
    let cases = [
        case(
            "ps.txt",
            Format::Columns,
            "user TEXT, pid BIGINT, pct_cpu DOUBLE, pct_mem DOUBLE, vsz BIGINT, rss BIGINT, tty TEXT, stat TEXT, start TEXT, time TEXT, command TEXT",
            4,
            &[
                (0, "command", "/sbin/init splash"),
                (2, "pct_cpu", "12.5"),
                (2, "command", "bin/tidb-server -P 4000 --store=tikv --path=10.0.1.11:2379"),
            ],
        ),
        case(
            "df.txt",
            Format::Columns,
            "filesystem TEXT, size TEXT, used TEXT, avail TEXT, use_pct TEXT, mounted_on TEXT",
            4,
            &[(2, "filesystem", "/dev/mapper/ubuntu--vg-ubuntu--lv"), (3, "mounted_on", "/mnt/my data")],
        ),
        case(
            "ss.txt",
            Format::Columns,
            "state TEXT, recv_q BIGINT, send_q BIGINT, local_address_port TEXT, peer_address_port TEXT, process TEXT",
            4,
            &[
                (0, "process", "users:((\"tidb-server\",pid=1203,fd=21))"),
                (2, "local_address_port", "10.0.1.12:39244"),
                (2, "process", "NULL"),
            ],
        ),
        case(
            "lsblk.txt",
            Format::Columns,
            "name TEXT, maj_min TEXT, rm BIGINT, size TEXT, ro BIGINT, type TEXT, mountpoints TEXT",
            5,
            &[
                (1, "mountpoints", "NULL"),
                (2, "name", "sda1"),
                (4, "name", "vg-data"),
                (4, "mountpoints", "/var/lib/my data"),
            ],
        ),
        case(
            "smartctl.txt",
            Format::Columns,
            "id_no BIGINT, attribute_name TEXT, flag TEXT, value TEXT, worst TEXT, thresh TEXT, type TEXT, updated TEXT, when_failed TEXT, raw_value TEXT",
            3,
            &[(1, "raw_value", "24557"), (2, "raw_value", "31 (Min/Max 20/45)")],
        ),
        case(
            "kubectl-get-pods.txt",
            Format::Columns,
            "name TEXT, ready TEXT, status TEXT, restarts TEXT, age TEXT, ip TEXT, node TEXT, nominated_node TEXT, readiness_gates TEXT",
            3,
            &[(1, "restarts", "2 (5h12m ago)"), (2, "status", "CrashLoopBackOff"), (2, "nominated_node", "NULL")],
        ),
        case(
            "docker-stats.txt",
            Format::Columns,
            "container_id TEXT, name TEXT, cpu_pct TEXT, mem_usage_limit TEXT, mem_pct TEXT, net_i_o TEXT, block_i_o TEXT, pids BIGINT",
            2,
            &[(0, "mem_usage_limit", "5.629MiB / 1.952GiB"), (1, "name", "my-redis")],
        ),
        case(
            "tiup-cluster-display.txt",
            Format::Columns,
            "id TEXT, role TEXT, host TEXT, ports TEXT, os_arch TEXT, status TEXT, data_dir TEXT, deploy_dir TEXT",
            3,
            &[(0, "status", "Up|L|UI"), (2, "deploy_dir", "/tidb-deploy/tikv-20160")],
        ),
        case(
            "pt-query-digest.txt",
            Format::Columns,
            "rank BIGINT, query_id TEXT, response_time TEXT, calls BIGINT, r_call DOUBLE, v_m DOUBLE, item TEXT",
            2,
            &[
                (0, "query_id", "0xC684BDA4D9F3E1E3A1B2C3D4E5F60718"),
                (0, "response_time", "5.0000 71.4%"),
                (1, "item", "UPDATE users"),
            ],
        ),
        Case {
            path: Some(".classes[]"),
            ..case(
                "pt-query-digest.json",
                Format::Json,
                "attribute TEXT, checksum TEXT, distillate TEXT, example TEXT, fingerprint TEXT, query_count BIGINT, ts_max TIMESTAMP, ts_min TIMESTAMP",
                2,
                &[(1, "distillate", "UPDATE users"), (1, "example", "NULL")],
            )
        },
        Case {
            path: Some(".items[]"),
            ..case(
                "kubectl-get-pods.json",
                Format::Json,
                "apiversion TEXT, kind TEXT, metadata TEXT, spec TEXT, status TEXT",
                2,
                &[(1, "spec", "{\"nodeName\":\"node-2\"}")],
            )
        },
        // An object with one list of objects in it is that list.
        case(
            "kubectl-get-pods.json",
            Format::Json,
            "apiversion TEXT, kind TEXT, metadata TEXT, spec TEXT, status TEXT",
            2,
            &[],
        ),
        case(
            "lsblk.json",
            Format::Json,
            "children TEXT, maj_min TEXT, mountpoints TEXT, name TEXT, rm BOOLEAN, ro BOOLEAN, size TEXT, type TEXT",
            2,
            &[(1, "rm", "1"), (1, "size", "1024M")],
        ),
        case(
            "journalctl.json",
            Format::Ndjson,
            "_cursor TEXT, _realtime_timestamp TEXT, _monotonic_timestamp TEXT, _boot_id TEXT, priority TEXT, _hostname TEXT, syslog_identifier TEXT, _pid TEXT, message TEXT",
            2,
            &[(0, "message", "Started tikv.service - TiKV."), (1, "message", "[98,97,100,255]")],
        ),
        case(
            "metrics.prom",
            Format::Prometheus,
            "name TEXT, labels TEXT, value DOUBLE, type TEXT",
            8,
            &[
                (0, "value", "1027"),
                (0, "type", "counter"),
                (1, "labels", "{\"code\":\"400\",\"method\":\"post\"}"),
                (3, "labels", "{\"problem\":\"division by zero, \\\"quoted\\\" {x}\"}"),
                (3, "value", "NULL"),
                (4, "type", "histogram"),
                (6, "value", "53423"),
            ],
        ),
        case(
            "mysql-slow.log",
            Format::SlowLog,
            "time TIMESTAMP, user_host TEXT, connection_id BIGINT, query_time DOUBLE, lock_time DOUBLE, rows_sent BIGINT, rows_examined BIGINT, timestamp BIGINT, db TEXT, query TEXT",
            2,
            &[
                (0, "time", "2024-03-01 12:00:00.123456"),
                (0, "query", "SELECT COUNT(*)\nFROM orders\nWHERE note LIKE '# Time: %';"),
                (0, "db", "shop"),
                (1, "connection_id", "43"),
                (1, "query", "# administrator command: Ping;"),
            ],
        ),
        case(
            "tidb-slow.log",
            Format::SlowLog,
            "time TIMESTAMP, txn_start_ts BIGINT, user_host TEXT, conn_id BIGINT, exec_retry_time DOUBLE, exec_retry_count BIGINT, query_time DOUBLE, parse_time DOUBLE, compile_time DOUBLE, process_time DOUBLE, request_count BIGINT, total_keys BIGINT, process_keys BIGINT, prewrite_time DOUBLE, commit_time DOUBLE, db TEXT, is_internal BOOLEAN, digest TEXT, stats TEXT, cop_proc_avg DOUBLE, cop_proc_p90 DOUBLE, cop_proc_max DOUBLE, cop_proc_addr TEXT, mem_max BIGINT, succ BOOLEAN, plan TEXT, query TEXT",
            2,
            &[
                (0, "time", "2019-08-14 01:26:59.487776"),
                (0, "cop_proc_addr", "172.16.5.87:20171"),
                (0, "query", "insert into t select * from t;"),
                (1, "succ", "0"),
                (1, "total_keys", "NULL"),
            ],
        ),
        case(
            "app.logfmt",
            Format::Logfmt,
            "ts TIMESTAMP, level TEXT, caller TEXT, msg TEXT, took DOUBLE, err TEXT, retry BOOLEAN",
            2,
            &[(0, "msg", "Server is ready"), (1, "msg", "cannot \"open\" it"), (1, "retry", "1")],
        ),
        case(
            "semicolon.csv",
            Format::Csv,
            "name TEXT, betrag BIGINT, zeit TIMESTAMP",
            2,
            &[(0, "name", "Müller; Co"), (0, "zeit", "2024-03-01 11:00:00"), (1, "betrag", "NULL")],
        ),
        case(
            "mysql-table.txt",
            Format::Csv,
            "id BIGINT, name TEXT, amount DOUBLE",
            2,
            &[(0, "name", "first one"), (1, "name", "NULL")],
        ),
    ];
    let mut faults = Vec::new();
    for case in &cases {
        let rows = match read(case) {
            Ok(rows) => rows,
            Err(why) => {
                faults.push(why);
                continue;
            }
        };
        let table = rows.table.snapshot();
        let columns: Vec<_> =
            table.schema.columns.iter().map(|column| format!("{} {}", column.name, column.data_type)).collect();
        if (rows.format, columns.join(", ").as_str(), table.rows.len()) != (case.format, case.columns, case.rows) {
            faults.push(format!("{}: {:?}, {} rows, {}", case.file, rows.format, table.rows.len(), columns.join(", ")));
            continue;
        }
        for (row, column, expected) in case.cells {
            let position = table.schema.position(column).expect(column);
            let shown = shown(&table.rows[*row][position]);
            if shown != *expected {
                faults.push(format!("{} row {row} {column}: {shown:?} and not {expected:?}", case.file));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn shown(value: &unum_client::Value) -> String {
    use unum_client::Value;
    match value {
        Value::Null => "NULL".into(),
        Value::Bool(value) => u8::from(*value).to_string(),
        Value::Int64(value) => value.to_string(),
        Value::UInt64(value) => value.to_string(),
        Value::Float64(value) => value.to_string(),
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => format!("{bytes:?}"),
        Value::Timestamp(micros) => {
            let time = chrono::DateTime::from_timestamp_micros(*micros).expect("a time");
            time.format("%Y-%m-%d %H:%M:%S%.f").to_string()
        }
    }
}

#[test]
fn what_is_not_whole_or_not_sure_is_refused() {
    let refused = |bytes: &[u8]| match Reading::default().table("t", None, bytes) {
        Err(error) => error.to_string(),
        Ok(rows) => panic!("{:?} is {:?}", String::from_utf8_lossy(bytes), rows),
    };
    for (text, part) in [
        ("a,b\n1,\"two\n3,4\n", "ends inside the quotes that begin in line 2"),
        ("a\tb,c\n", "does not tell its format"),
        ("", "does not tell its format"),
        ("[{\"a\": 1}", "is not JSON"),
        ("# Time: 2024-03-01T12:00:00Z\n# Query_time: 1\n", "has no statement"),
        ("level=info msg=\"half\nlevel=info\n", "does not tell its format"),
    ] {
        let why = refused(text.as_bytes());
        assert!(why.contains(part), "{text:?}: {why}");
    }
}
