//! Changes of the nodes' configuration by SQL: real agents of two types with real files and commands, one of them away
//! during the change, one whose command fails, and a leader that is killed in between.

use std::path::PathBuf;

use unum_chaos_tests::cluster::{Cluster, PATIENCE, Process, binary, until};
use unum_client::{Client, Error, FromValue, QueryResult};

const TOML: &str = "# how a store works\n[log]\nlevel = \"warn\" # quiet\n\n[raftstore]\nstore-pool-size = 2\n\n[security]\nkey-password = \"hush\"\n";

/// The agents of a test, and the directory of their files.
struct Agents {
    dir: tempfile::TempDir,
    endpoints: String,
}

impl Agents {
    fn new(cluster: &Cluster) -> anyhow::Result<Self> {
        Ok(Self { dir: tempfile::tempdir()?, endpoints: cluster.endpoints().join(",") })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn start(&self, node_type: &str, id: &str, config: &[String]) -> anyhow::Result<Process> {
        let args = ["agent", "--node-type", node_type, "--id", id, "--interval", "200ms", "--processes", "0"];
        let mut args: Vec<String> = args.map(str::to_owned).to_vec();
        args.extend(["--endpoints".to_owned(), self.endpoints.clone()]);
        args.extend_from_slice(config);
        Process::spawn(&binary("unum")?, &args, &self.path(&format!("{id}.log")))
    }

    /// A node whose configuration is a TOML file.
    fn tikv(&self, id: &str) -> anyhow::Result<Process> {
        let file = self.file(id);
        if !file.exists() {
            std::fs::write(&file, TOML)?;
        }
        self.start("tikv", id, &["--config-file".into(), file.display().to_string()])
    }

    /// A node whose configuration is what a command prints, and is set by another one.
    fn pd(&self, id: &str, hook: &str) -> anyhow::Result<Process> {
        let limit = self.file(id);
        std::fs::write(&limit, "4\n")?;
        let limit = limit.display();
        let list = format!(
            r#"printf '{{"key":"schedule.limit","value":"%s","type":"integer"}}\n{{"key":"log.level","value":"warn"}}\n' "$(cat {limit})""#
        );
        let hook = hook.replace("LIMIT", &limit.to_string());
        self.start("pd", id, &["--config-from".into(), list, "--on-config".into(), hook])
    }

    fn file(&self, id: &str) -> PathBuf {
        self.path(&format!("{id}.toml"))
    }

    fn text(&self, id: &str) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(self.file(id))?)
    }
}

const WRITES: &str = r#"test "$UNUM_CONFIG_KEY" = schedule.limit || exit 2; echo "$UNUM_CONFIG_VALUE" > LIMIT"#;
const FAILS: &str = "echo the disk is full >&2; exit 1";

fn column<T: FromValue>(result: &QueryResult, name: &str) -> Result<Vec<T>, Error> {
    result.rows().map(|row| row.get(name)).collect()
}

async fn texts(client: &Client, sql: &str) -> Result<Vec<String>, Error> {
    let result = client.query(sql).await?;
    let name = result.schema.field(0).name().clone();
    column(&result, &name)
}

async fn published(client: &Client, nodes: usize) -> anyhow::Result<()> {
    let sql = "SELECT DISTINCT node_id FROM cluster_config WHERE node_type <> 'unum'";
    until("all agents have published their configuration", async || {
        texts(client, sql).await.ok().filter(|ids| ids.len() == nodes)
    })
    .await
    .map(drop)
}

/// `node state` of each of a change's nodes.
async fn states(client: &Client, change: u64) -> Result<Vec<String>, Error> {
    let sql = "SELECT concat(node_id, ' ', state) AS s FROM config_change_nodes WHERE change_id =";
    texts(client, &format!("{sql} {change} ORDER BY node_id, `key`")).await
}

async fn until_states(client: &Client, change: u64, expected: &[&str]) -> anyhow::Result<()> {
    let mut last = Vec::new();
    let what = format!("change {change} is {expected:?}");
    let reached = until(&what, async || {
        last = states(client, change).await.ok()?;
        (last == expected).then_some(())
    });
    reached.await.map_err(|error| error.context(format!("it is {last:?}")))
}

async fn refusal(client: &Client, sql: &str) -> String {
    match client.query(sql).await {
        Err(Error::Refused(why)) => why,
        other => panic!("{sql}: {other:?} is no refusal"),
    }
}

fn change_of(result: &QueryResult) -> anyhow::Result<u64> {
    column(result, "change_id")?.first().copied().ok_or_else(|| anyhow::anyhow!("no row"))
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_come_to_what_sql_wants_of_them_through_absence_failure_and_a_new_leader() -> anyhow::Result<()> {
    let mut cluster = Cluster::start(3).await?;
    let client = cluster.client_of_all()?.with_timeout(PATIENCE).with_user("dba");
    let agents = Agents::new(&cluster)?;
    let _tikv_1 = agents.tikv("tikv_1")?;
    let tikv_2 = agents.tikv("tikv_2")?;
    let _pd_1 = agents.pd("pd_1", WRITES)?;
    let _pd_2 = agents.pd("pd_2", FAILS)?;
    published(&client, 4).await?;

    // What would be is told, and nothing is done.
    let dry = client.query("SET CONFIG tikv log.level = 'info' DRY RUN").await?;
    let old_new: Vec<(String, String)> = column(&dry, "old")?.into_iter().zip(column(&dry, "desired")?).collect();
    assert_eq!(old_new, [("warn".into(), "info".into()), ("warn".into(), "info".into())]);
    assert_eq!(client.query("SELECT * FROM config_changes").await?.row_count(), 0);

    // One of two is away.
    tikv_2.kill()?;
    let first = client.query("SET CONFIG tikv log.level = 'info' WAIT 3s").await?;
    let level = change_of(&first)?;
    until_states(&client, level, &["tikv_1 applied", "tikv_2 pending"]).await?;
    assert_eq!(agents.text("tikv_1")?, TOML.replace("\"warn\" # quiet", "\"info\" # quiet"));
    assert_eq!(agents.text("tikv_2")?, TOML);

    // The leader dies between the commit and the nodes.
    let at = cluster.leader(1).await?;
    let limit =
        client.query("UPDATE cluster_config SET value = 8 WHERE node_type = 'pd' AND `key` = 'schedule.limit'").await?;
    let limit = change_of(&limit)?;
    cluster.kill(at)?;
    until_states(&client, limit, &["pd_1 applied", "pd_2 failed"]).await?;
    assert_eq!(agents.text("pd_1")?, "8\n");
    let failed = "SELECT error, attempts FROM config_change_nodes WHERE node_id = 'pd_2' AND change_id =";
    let failed = client.query(&format!("{failed} {limit}")).await?;
    assert!(column::<String>(&failed, "error")?[0].contains("ended with 1: the disk is full"), "{failed:?}");

    // Who was away gets what it missed.
    let _tikv_2 = agents.tikv("tikv_2")?;
    until_states(&client, level, &["tikv_1 applied", "tikv_2 applied"]).await?;
    assert!(agents.text("tikv_2")?.contains("level = \"info\" # quiet"));

    // All of it is in the tables, on every replica and through restarts.
    cluster.spawn(at)?;
    cluster.wait_until_answers(at).await?;
    for id in 1..=3 {
        assert_eq!(cluster.stop(id)?, Some(0));
    }
    for id in 1..=3 {
        cluster.spawn(id)?;
    }
    for id in 1..=3 {
        cluster.wait_until_answers(id).await?;
        let client = cluster.client(id)?;
        let changes = "SELECT concat(state, ' ', who, ' ', statement) AS c FROM config_changes ORDER BY id";
        assert_eq!(
            texts(&client, changes).await?,
            [
                "done dba SET CONFIG tikv log.level = 'info' WAIT 3s",
                "failed dba UPDATE cluster_config SET value = 8 WHERE node_type = 'pd' AND `key` = 'schedule.limit'"
            ]
        );
        let history = "SELECT concat(value, ' ', coalesce(change_id, 0), ' ', until_revision IS NULL) AS h FROM config_history \
                       WHERE node_id = 'tikv_2' AND `key` = 'log.level' ORDER BY from_revision";
        assert_eq!(texts(&client, history).await?, ["warn 0 0".to_owned(), format!("info {level} 1")]);
    }

    // And back again.
    let back = client.query(&format!("ROLLBACK CHANGE {level} WAIT 30s")).await?;
    assert_eq!(column::<String>(&back, "state")?, ["applied", "applied"], "{back:?}");
    assert_eq!((agents.text("tikv_1")?, agents.text("tikv_2")?), (TOML.to_owned(), TOML.to_owned()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_shown_and_repaired_only_where_it_is_enforced() -> anyhow::Result<()> {
    let cluster = Cluster::start(1).await?;
    let client = cluster.client(1)?.with_timeout(PATIENCE);
    let agents = Agents::new(&cluster)?;
    let _agents = [agents.tikv("tikv_1")?, agents.tikv("tikv_2")?];
    published(&client, 2).await?;
    let size = |text: &str, size: u32| text.replace("store-pool-size = 2", &format!("store-pool-size = {size}"));
    client.query("SET CONFIG tikv log.level = 'info' WAIT 30s").await?;
    let enforced = client.query("SET CONFIG tikv raftstore.store-pool-size = 3 ENFORCE WAIT 30s").await?;
    assert_eq!(column::<String>(&enforced, "state")?, ["applied", "applied"]);
    let drift = "SELECT concat(node_id, ' ', `key`, ' ', reason, ' ', coalesce(expected, '-'), ' ', actual) AS d FROM config_drift ORDER BY 1";
    assert_eq!(texts(&client, drift).await?, [""; 0]);

    // Somebody edits a file by hand: one key of it is enforced.
    let set = size(TOML, 3).replace("\"warn\"", "\"info\"");
    assert_eq!(agents.text("tikv_1")?, set);
    std::fs::write(agents.file("tikv_1"), size(TOML, 9))?;
    let expected =
        ["tikv_1 log.level desired info warn", "tikv_1 log.level peers - warn", "tikv_2 log.level peers - info"];
    until("what is enforced is set again, and the rest is shown", async || {
        let drift = texts(&client, drift).await.ok()?;
        (drift == expected && agents.text("tikv_1").ok()? == size(TOML, 3)).then_some(())
    })
    .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_with_the_remedy_and_changes_nothing() -> anyhow::Result<()> {
    let cluster = Cluster::start(1).await?;
    let client = cluster.client(1)?.with_timeout(PATIENCE);
    let agents = Agents::new(&cluster)?;
    let _tikv_1 = agents.tikv("tikv_1")?;
    let tikv_2 = agents.tikv("tikv_2")?;
    published(&client, 2).await?;
    for (sql, part) in [
        (
            "SET CONFIG tikv log.levl = 'info'",
            "there is no config key log.levl of nodes of type tikv; did you mean log.level?",
        ),
        ("SET CONFIG tkv log.level = 'info'", "there is no node of type tkv; did you mean tikv?"),
        ("SET CONFIG 'tikv_9' log.level = 'info'", "there is no node tikv_9; did you mean tikv_"),
        (
            "SET CONFIG tikv raftstore.store-pool-size = 'many'",
            "is of type integer, and \"many\" is not; write a whole number",
        ),
        ("UPDATE cluster_config SET value = 'x' WHERE node_type = 'nobody'", "no node matches"),
        (
            "UPDATE cluster_config SET value = 'x' WHERE nod_type = 'tikv'",
            "there is no column nod_type at line 1, column 45; did you mean node_type?",
        ),
        ("SET CONFIG tikv log.level = 'info' WAIT 2h", "WAIT 2h is longer than 1h"),
        ("RESUME CHANGE 77", "there is no change 77"),
        ("ROLLBACK CHANGE 77", "there is no change 77"),
    ] {
        let why = refusal(&client, sql).await;
        assert!(why.contains(part), "{sql}: {why}");
    }
    assert_eq!(client.query("SELECT * FROM config_changes").await?.row_count(), 0);

    // A change in progress keeps others from its settings, until it is cancelled.
    tikv_2.kill()?;
    let open = change_of(&client.query("SET CONFIG 'tikv_2' log.level = 'info'").await?)?;
    let why = refusal(&client, "SET CONFIG tikv log.level = 'debug'").await;
    assert!(why.contains(&format!("CANCEL CHANGE {open}")), "{why}");
    client.query(&format!("CANCEL CHANGE {open}")).await?;
    let canary = client.query("SET CONFIG tikv log.level = 'debug' CANARY 50% WAIT 30s").await?;
    let change = change_of(&canary)?;
    assert_eq!(column::<String>(&canary, "state")?, ["applied", "waiting"]);
    assert_eq!(texts(&client, "SELECT state FROM config_changes ORDER BY id DESC LIMIT 1").await?, ["canary"]);
    let _tikv_2 = agents.tikv("tikv_2")?;
    let resumed = client.query(&format!("RESUME CHANGE {change} WAIT 30s")).await?;
    assert_eq!(column::<String>(&resumed, "state")?, ["applied", "applied"]);

    // The same change key is the same change.
    let sql = "SET CONFIG tikv log.level = 'error' CHANGE KEY 'once' WAIT 30s";
    let once = change_of(&client.query(sql).await?)?;
    assert_eq!(change_of(&client.query(sql).await?)?, once);

    // Of two who read the same revision one wins.
    let seen = client.query("SELECT * FROM cluster_config").await?.revision;
    let race = |value: &str| {
        let client = client.clone();
        let sql = format!("SET CONFIG 'tikv_1' log.level = '{value}' IF REVISION = {seen} WAIT 5s");
        tokio::spawn(async move { client.query(&sql).await })
    };
    let (a, b) = (race("warn").await?, race("info").await?);
    assert_eq!([&a, &b].iter().filter(|outcome| outcome.is_ok()).count(), 1, "{a:?} {b:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_reach_their_node_and_nobody_else() -> anyhow::Result<()> {
    let cluster = Cluster::start_with(1, "[sql]\nslow_query_threshold_ms = 0\n[publish]\ninterval_ms = 200\n").await?;
    let client = cluster.client(1)?.with_timeout(PATIENCE);
    let agents = Agents::new(&cluster)?;
    let _tikv_1 = agents.tikv("tikv_1")?;
    published(&client, 1).await?;
    let set = client.query("SET CONFIG tikv security.key-password = 'new-secret' WAIT 30s").await?;
    assert_eq!(column::<String>(&set, "state")?, ["applied"]);
    assert!(agents.text("tikv_1")?.contains("key-password = \"new-secret\""));
    let own = "SELECT DISTINCT node_id FROM cluster_config WHERE node_type = 'unum'";
    until("the replica has published its settings", async || {
        texts(&client, own).await.ok().filter(|ids| ids.len() == 1)
    })
    .await?;
    // From here on nothing is slow: those that look for it would push it out of the table.
    client.query("SET CONFIG unum sql.slow_query_threshold_ms = 100000 WAIT 30s").await?;
    let slow = "SELECT count(*) AS n FROM slow_query WHERE query LIKE 'SET CONFIG tikv%'";
    until("it is among the slow ones", async || {
        let result = client.query(slow).await.ok()?;
        (column::<i64>(&result, "n").ok()? == [1]).then_some(())
    })
    .await?;
    for table in [
        "cluster_config",
        "information_schema.cluster_config",
        "config_changes",
        "config_change_nodes",
        "config_history",
        "config_drift",
        "slow_query",
        "statements_summary",
    ] {
        let result = client.query(&format!("SELECT * FROM {table}")).await?;
        let shown = format!("{:?}", result.batches);
        assert!(!shown.contains("hush") && !shown.contains("new-secret"), "{table}: {shown}");
    }
    let why = refusal(&client, &format!("ROLLBACK CHANGE {}", change_of(&set)?)).await;
    assert!(why.contains("is not known"), "{why}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_are_nodes_too_and_keep_what_was_set() -> anyhow::Result<()> {
    let mut cluster = Cluster::start_with(3, "[publish]\ninterval_ms = 300\n").await?;
    let client = cluster.client_of_all()?.with_timeout(PATIENCE);
    let known = "SELECT DISTINCT node_id FROM cluster_config WHERE node_type = 'unum'";
    until("all replicas have published their settings", async || {
        texts(&client, known).await.ok().filter(|ids| ids.len() == 3)
    })
    .await?;
    let dynamic = client.query("SELECT count(*) AS n FROM config WHERE dynamic").await?;
    assert!(column::<i64>(&dynamic, "n")?[0] >= 10);
    let set = client.query("SET CONFIG unum sql.slow_query_threshold_ms = 0, sql.result_rows_max = 7 WAIT 30s").await?;
    assert_eq!(column::<String>(&set, "state")?, ["applied"; 6]);
    let many = "SELECT * FROM information_schema.columns";
    for id in 1..=3 {
        let client = cluster.client(id)?;
        let error = client.query(many).await.expect_err("it has more than 7 rows");
        assert!(error.to_string().contains("more than 7 rows"), "{error}");
        // Those that look for it among them.
        let slow = "SELECT count(*) AS n FROM slow_query WHERE query LIKE '%FROM slow_query%'";
        until("every query is slow now", async || {
            let result = client.query(slow).await.ok()?;
            (column::<i64>(&result, "n").ok()?[0] > 0).then_some(())
        })
        .await?;
    }
    let why = refusal(&client, "SET CONFIG unum sql.queries_max = 'many'").await;
    assert!(why.contains("is of type integer"), "{why}");
    let rejected = client.query("SET CONFIG unum sql.queries_max = 0 WAIT 30s").await?;
    assert_eq!(column::<String>(&rejected, "state")?, ["rejected"; 3]);

    // What needs a restart says so until there was one.
    let set = client.query("SET CONFIG unum raft.heartbeat_interval_ms = 50 WAIT 30s").await?;
    assert_eq!(column::<String>(&set, "state")?, ["needs restart"; 3]);
    let change = change_of(&set)?;
    for id in 1..=3 {
        assert_eq!(cluster.stop(id)?, Some(0));
        cluster.spawn(id)?;
        cluster.wait_until_answers(id).await?;
    }
    until_states(&client, change, &["unum_1 applied", "unum_2 applied", "unum_3 applied"]).await?;
    let error = cluster.client(2)?.query(many).await.expect_err("what was set before holds after the restart");
    assert!(error.to_string().contains("more than 7 rows"), "{error}");
    Ok(())
}

/// The host's facts go on, and a row tells until it is over.
#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_cannot_be_published_never_ends_the_agent() -> anyhow::Result<()> {
    let cluster = Cluster::start(1).await?;
    let (client, agents) = (cluster.client_of_all()?, Agents::new(&cluster)?);
    let list = agents.path("list");
    let says = |text: &str| std::fs::write(&list, text);
    says("echo broken >&2; exit 7")?;
    let mut agent = agents.start("pd", "pd_1", &["--config-from".into(), format!("sh {}", list.display())])?;
    let told = async |part: &'static str| {
        let sql = "SELECT message FROM cluster_agents WHERE node_id = 'pd_1' AND table_name = 'config'";
        texts(&client, sql).await.ok().filter(|told| told.len() == 1 && told[0].contains(part))
    };
    until("the row tells why", async || told("broken").await).await?;
    let pushed = async || -> Option<u64> {
        let result = client.query("SELECT sequence FROM nodes WHERE id = 'pd_1'").await.ok()?;
        result.rows().next()?.get("sequence").ok()
    };
    let now = pushed().await.unwrap_or_default();
    // So many keys that no push has room for them.
    says(
        "i=0; while [ $i -lt 9000 ]; do echo key$i=0123456789012345678901234567890123456789012345678901234; i=$((i+1)); done",
    )?;
    until("the row tells of the limit", async || told("the limit is 524288").await).await?;
    until("the host's facts go on", async || pushed().await.filter(|sequence| *sequence > now)).await?;
    // It holds its output and prints without end.
    says("sleep 600 & echo a=1")?;
    let keys =
        async || texts(&client, "SELECT CONCAT(`key`, '=', value) FROM cluster_config WHERE node_id = 'pd_1'").await;
    until("it is read", async || keys().await.ok().filter(|keys| keys == &["a=1"])).await?;
    until("no row is left", async || {
        texts(&client, "SELECT message FROM cluster_agents").await.ok().filter(Vec::is_empty)
    })
    .await?;
    let log = agent.log();
    assert_eq!(log.matches("broken").count(), 1, "it is told once:\n{log}");
    assert!(agent.ended()?.is_none(), "it lives");
    assert_eq!(agent.terminate(PATIENCE)?, Some(0));
    Ok(())
}

/// A secret is planted wherever a node has one, and looked for wherever somebody could see it.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_seen_anywhere() -> anyhow::Result<()> {
    const CANARIES: [&str; 8] = [
        "canary-file",
        "canary-url",
        "canary-marked",
        "canary-new",
        "canary-set-url",
        "canary-stderr",
        "canary-log",
        "canary-bound",
    ];
    let cluster = Cluster::start(1).await?;
    let (client, agents) = (cluster.client_of_all()?, Agents::new(&cluster)?);
    let file = "[db]\npassword = \"canary-file\"\nurl = \"mysql://me:canary-url@db/x\"\nlevel = \"warn\"\n";
    std::fs::write(agents.file("tikv_1"), file)?;
    // The hook says all that it was told, and fails.
    let hook = "cat >&2; echo \" $UNUM_CONFIG_VALUE curl -u me:x 'https://a:canary-stderr@b/' \" >&2; exit 1";
    let path = agents.file("tikv_1").display().to_string();
    let tikv = agents.start("tikv", "tikv_1", &["--config-file".into(), path, "--on-config".into(), hook.into()])?;
    let list = r#"echo '{"key":"pin","value":"canary-marked","secret":true}'; echo level=1"#;
    let pd = agents.start("pd", "pd_1", &["--config-from".into(), list.into(), "--on-config".into(), hook.into()])?;
    until("both are there", async || {
        let nodes =
            texts(&client, "SELECT DISTINCT node_id FROM cluster_config WHERE node_type <> 'unum'").await.ok()?;
        (nodes.len() == 2).then_some(())
    })
    .await?;
    for statement in [
        "SET CONFIG tikv db.password = 'canary-new' WAIT 20s",
        "SET CONFIG tikv db.level = 'https://me:canary-set-url@host/' WAIT 20s",
        "SET CONFIG pd pin = 'canary-log' WAIT 20s",
        "UPDATE cluster_config SET value = 'x password=canary-bound' WHERE node_type = 'tikv' AND `key` = 'db.level' WAIT 20s",
    ] {
        let result = client.query(statement).await?;
        let row = result.rows().next().expect("a row");
        let error: Option<String> = row.get("error")?;
        let error = error.unwrap_or_default();
        assert!(error.contains("--on-config ended with 1") && error.contains("******"), "{statement}: {error}");
    }
    let shown =
        texts(&client, "SELECT value FROM cluster_config WHERE node_id = 'tikv_1' AND `key` = 'db.level'").await?;
    assert_eq!(shown, ["warn"], "what is no secret is shown");

    // Every table that there is, the logs, the metrics.
    let mut sinks = Vec::new();
    let tables = client
        .query("SELECT CONCAT(table_schema, '.', table_name) AS name FROM information_schema.tables ORDER BY 1")
        .await?;
    for row in tables.rows() {
        let name: String = row.get("name")?;
        let result = client.query(&format!("SELECT * FROM {name}")).await?;
        sinks.push((name, format!("{result:?}")));
    }
    assert!(sinks.len() > 20, "{} tables", sinks.len());
    sinks.push(("the replica's log".into(), cluster.process(1)?.log()));
    sinks.push(("the agent's log".into(), tikv.log()));
    sinks.push(("the other agent's log".into(), pd.log()));
    sinks.push(("the metrics".into(), cluster.http_get(1, "/metrics")?));
    for (name, text) in &sinks {
        for canary in CANARIES {
            assert!(!text.contains(canary), "{canary} in {name}: {text}");
        }
    }
    assert!(agents.text("tikv_1")?.contains("canary-file"), "what failed is taken back");
    Ok(())
}
