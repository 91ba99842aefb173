//! The records that a state consists of: what a store keeps, a raft snapshot carries, and the state hash adds up.
//!
//! Disk, raft snapshots and tests take a state apart by [`State::records`] and put it together by [`State::restore`]; nobody else
//! enumerates what it has. All that a kind of record is stands here: its name, its value, its hash, and the bytes of both. The
//! bytes are a disk format: a key begins with the kind's letter and `/`, a value is one byte of version and postcard.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use unum_proto::model::{NodeDescription, NodeKey, TableName};

use super::columnar::chunks::Chunks;
use super::config::{self, ConfigRecord, ConfigRecordKey};
use super::hashed::Hashed;
use super::{KnownSchema, Node, NodeStatus, Publisher, Snapshot, State, Table, Unused};

/// What was written before tables were refused one by one, and types became wider. Only these two kinds differ.
const VERSION_BEFORE: u8 = 1;

const VERSION: u8 = 2;

const NODE: u8 = b'n';
const SCHEMA: u8 = b's';
const SNAPSHOT: u8 = b't';
const CONFIG: u8 = b'c';
const CHANGE_KEY: u8 = b'k';
const PUBLISHER: u8 = b'p';
const UNUSED: u8 = b'u';

/// The keys of all records begin with these, in an order in which a state can be restored.
pub const PREFIXES: [[u8; 2]; 7] = [
    prefix(NODE),
    prefix(SCHEMA),
    prefix(SNAPSHOT),
    prefix(CONFIG),
    prefix(CHANGE_KEY),
    prefix(PUBLISHER),
    prefix(UNUSED),
];

const fn prefix(kind: u8) -> [u8; 2] {
    [kind, b'/']
}

/// The name of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordKey {
    /// A node.
    Node(NodeKey),
    /// A table's schema.
    Schema(TableName),
    /// A node's rows of a table.
    Snapshot(NodeKey, TableName),
    /// Something of the configuration's changes.
    Config(ConfigRecordKey),
    /// The change that was made at a revision.
    ChangeKey(u64),
    /// The publisher of a node.
    Publisher(NodeKey),
    /// What of a table is unused.
    Unused(TableName),
}

/// A record, as it is read.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// See [`RecordKey::Node`].
    Node(Node),
    /// See [`RecordKey::Schema`].
    Schema(KnownSchema),
    /// See [`RecordKey::Snapshot`].
    Snapshot(Snapshot),
    /// See [`RecordKey::Config`].
    Config(ConfigRecord),
    /// See [`RecordKey::ChangeKey`].
    ChangeKey(String),
    /// See [`RecordKey::Publisher`].
    Publisher(Publisher),
    /// See [`RecordKey::Unused`].
    Unused(Unused),
}

/// A record of a state.
#[derive(Debug, Clone)]
pub enum RecordRef<'a> {
    /// See [`RecordKey::Node`].
    Node(&'a Node),
    /// See [`RecordKey::Schema`].
    Schema(&'a KnownSchema),
    /// See [`RecordKey::Snapshot`].
    Snapshot(&'a Snapshot),
    /// See [`RecordKey::Config`].
    Config(ConfigRecord),
    /// See [`RecordKey::ChangeKey`].
    ChangeKey(&'a String),
    /// See [`RecordKey::Publisher`].
    Publisher(&'a Publisher),
    /// See [`RecordKey::Unused`].
    Unused(&'a Unused),
}

/// Why bytes are not a record.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Written by a newer version.
    #[error("record {key} has format version {version}, this unumd knows {VERSION}; run the version that wrote it")]
    Newer {
        /// Its key.
        key: String,
        /// That version.
        version: u8,
    },
    /// Not what was written.
    #[error("record {key} does not decode: {why}")]
    Corrupt {
        /// Its key.
        key: String,
        /// What is wrong.
        why: String,
    },
}

impl Hashed<Node> {
    /// A node's record.
    pub fn node(value: Node) -> Self {
        Self::new(NODE, value)
    }
}

impl Hashed<KnownSchema> {
    /// A table's schema.
    pub fn schema(value: KnownSchema) -> Self {
        Self::new(SCHEMA, value)
    }
}

impl Hashed<Snapshot> {
    /// A node's rows of a table.
    pub fn snapshot(node: &NodeKey, table: &TableName, value: Snapshot) -> Self {
        Self::named(SNAPSHOT, (node, table), value)
    }
}

impl Hashed<String> {
    /// The key of the change that was made at a revision.
    pub fn change_key(revision: u64, value: String) -> Self {
        Self::named(CHANGE_KEY, revision, value)
    }
}

impl Hashed<Publisher> {
    /// The publisher of a node.
    pub fn publisher(node: &NodeKey, value: Publisher) -> Self {
        Self::named(PUBLISHER, node, value)
    }
}

impl Hashed<Unused> {
    /// What of a table is unused.
    pub fn unused(table: &TableName, value: Unused) -> Self {
        Self::named(UNUSED, table, value)
    }
}

impl RecordKey {
    /// The keys of all that is kept of the configuration's changes begin with it.
    pub const CONFIG_PREFIX: [u8; 2] = prefix(CONFIG);

    /// Its bytes. Names hold none of `/` and no character under 0x20, so they split without ambiguity and sort by their names.
    pub fn bytes(&self) -> Vec<u8> {
        let key = |kind: u8, name: &[u8]| [&prefix(kind), name].concat();
        match self {
            Self::Node(node) => key(NODE, node.to_string().as_bytes()),
            Self::Schema(table) => key(SCHEMA, table.as_str().as_bytes()),
            Self::Snapshot(node, table) => key(SNAPSHOT, format!("{node}/{table}").as_bytes()),
            Self::Config(name) => key(CONFIG, &postcard::to_stdvec(name).expect("model types always encode")),
            Self::ChangeKey(revision) => key(CHANGE_KEY, &revision.to_be_bytes()),
            Self::Publisher(node) => key(PUBLISHER, node.to_string().as_bytes()),
            Self::Unused(table) => key(UNUSED, table.as_str().as_bytes()),
        }
    }
}

impl RecordRef<'_> {
    /// The bytes of the record of that name.
    pub fn bytes(&self, key: &RecordKey) -> Vec<u8> {
        match (key, self) {
            (_, Self::Node(node)) => encode(node),
            (_, Self::Schema(schema)) => encode(schema),
            (_, Self::Snapshot(snapshot)) => encode(snapshot),
            (_, Self::ChangeKey(change_key)) => encode(change_key),
            (_, Self::Publisher(publisher)) => encode(publisher),
            (_, Self::Unused(unused)) => encode(unused),
            // The key is in the record, too: it cannot be read back from its bytes.
            (RecordKey::Config(key), Self::Config(record)) => encode(&(key, record)),
            (_, Self::Config(_)) => unreachable!("a state gives a record of the kind of its key"),
        }
    }
}

impl Record {
    /// Reads what [`RecordKey::bytes`] and [`RecordRef::bytes`] wrote.
    ///
    /// # Errors
    /// When they did not write it, or a newer version did.
    pub fn read(key: &[u8], bytes: &[u8]) -> Result<(RecordKey, Self), RecordError> {
        let corrupt = |why: &str| RecordError::Corrupt { key: key.escape_ascii().to_string(), why: why.to_owned() };
        let [kind, b'/', name @ ..] = key else { return Err(corrupt("its key is of no kind")) };
        Ok(match *kind {
            NODE => {
                let node: Node = match bytes {
                    [VERSION_BEFORE, ..] => decode::<NodeBefore>(key, bytes)?.into(),
                    _ => decode(key, bytes)?,
                };
                (RecordKey::Node(node.description.key.clone()), Self::Node(node))
            }
            SCHEMA => {
                let schema = match bytes {
                    [VERSION_BEFORE, ..] => KnownSchema::of_old_record(decode(key, bytes)?),
                    _ => decode::<KnownSchema>(key, bytes)?,
                };
                (RecordKey::Schema(schema.name.clone()), Self::Schema(schema))
            }
            SNAPSHOT => {
                let (node, table) = snapshot_names(name).ok_or_else(|| corrupt("its key names no table of a node"))?;
                (RecordKey::Snapshot(node, table), Self::Snapshot(decode(key, bytes)?))
            }
            CONFIG => {
                let (key, record) = decode::<(ConfigRecordKey, ConfigRecord)>(key, bytes)?;
                (RecordKey::Config(key), Self::Config(record))
            }
            CHANGE_KEY => {
                let revision = name.try_into().map_err(|_| corrupt("its key has no revision"))?;
                (RecordKey::ChangeKey(u64::from_be_bytes(revision)), Self::ChangeKey(decode(key, bytes)?))
            }
            PUBLISHER => {
                let node = node_name(name).ok_or_else(|| corrupt("its key names no node"))?;
                (RecordKey::Publisher(node), Self::Publisher(decode(key, bytes)?))
            }
            UNUSED => {
                let table = std::str::from_utf8(name).ok().and_then(|name| TableName::of_record(name).ok());
                let table = table.ok_or_else(|| corrupt("its key names no table"))?;
                (RecordKey::Unused(table), Self::Unused(decode(key, bytes)?))
            }
            _ => return Err(corrupt("its key is of no kind")),
        })
    }
}

/// A node as version 1 wrote it.
#[derive(Deserialize)]
struct NodeBefore {
    description: NodeDescription,
    status: NodeStatus,
    epoch: u64,
    sequence: u64,
    content_hash: u64,
    received_at_us: i64,
    revision: u64,
    status_since_us: i64,
}

impl From<NodeBefore> for Node {
    fn from(before: NodeBefore) -> Self {
        let NodeBefore {
            description,
            status,
            epoch,
            sequence,
            content_hash,
            received_at_us,
            revision,
            status_since_us,
        } = before;
        let refused = Vec::new();
        Self { description, status, epoch, sequence, content_hash, received_at_us, revision, status_since_us, refused }
    }
}

fn snapshot_names(name: &[u8]) -> Option<(NodeKey, TableName)> {
    let mut names = std::str::from_utf8(name).ok()?.split('/');
    let (node_type, id, table) = (names.next()?, names.next()?, names.next()?);
    let node = NodeKey::parse(node_type, id).ok()?;
    names.next().is_none().then_some((node, TableName::of_record(table).ok()?))
}

fn node_name(name: &[u8]) -> Option<NodeKey> {
    let (node_type, id) = std::str::from_utf8(name).ok()?.split_once('/')?;
    NodeKey::parse(node_type, id).ok()
}

fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_extend(value, vec![VERSION]).expect("model types always encode")
}

fn decode<T: for<'de> Deserialize<'de>>(key: &[u8], bytes: &[u8]) -> Result<T, RecordError> {
    let key = || key.escape_ascii().to_string();
    match bytes {
        [VERSION_BEFORE | VERSION, body @ ..] => {
            postcard::from_bytes(body).map_err(|e| RecordError::Corrupt { key: key(), why: e.to_string() })
        }
        [version, ..] => Err(RecordError::Newer { key: key(), version: *version }),
        [] => Err(RecordError::Corrupt { key: key(), why: "it is empty".to_owned() }),
    }
}

impl RecordRef<'_> {
    /// A copy of it.
    pub fn to_owned(&self) -> Record {
        match self {
            Self::Node(node) => Record::Node((*node).clone()),
            Self::Schema(schema) => Record::Schema((*schema).clone()),
            Self::Snapshot(snapshot) => Record::Snapshot((*snapshot).clone()),
            Self::Config(record) => Record::Config(record.clone()),
            Self::ChangeKey(key) => Record::ChangeKey((*key).clone()),
            Self::Publisher(publisher) => Record::Publisher((*publisher).clone()),
            Self::Unused(unused) => Record::Unused((*unused).clone()),
        }
    }
}

impl State {
    /// A record, if there is one of that name.
    pub fn record(&self, key: &RecordKey) -> Option<RecordRef<'_>> {
        Some(match key {
            RecordKey::Node(node) => RecordRef::Node(self.nodes.get(node)?.value()),
            RecordKey::Schema(table) => RecordRef::Schema(self.tables.get(table)?.schema.value()),
            RecordKey::Snapshot(node, table) => {
                RecordRef::Snapshot(self.tables.get(table)?.snapshots.get(node)?.value())
            }
            RecordKey::Config(key) => RecordRef::Config(self.config.get(key)?),
            RecordKey::ChangeKey(revision) => RecordRef::ChangeKey(self.change_keys.get(*revision)?.value()),
            RecordKey::Publisher(node) => RecordRef::Publisher(self.publishers.get(node)?.value()),
            RecordKey::Unused(table) => RecordRef::Unused(self.unused.get(table)?.value()),
        })
    }

    /// Every record, in an order that [`State::restore`] takes.
    pub fn records(&self) -> impl Iterator<Item = (RecordKey, RecordRef<'_>)> {
        let nodes = self.nodes.iter().map(|(key, node)| (RecordKey::Node(key.clone()), RecordRef::Node(node.value())));
        let schemas = self.tables.iter();
        let schemas =
            schemas.map(|(name, table)| (RecordKey::Schema(name.clone()), RecordRef::Schema(table.schema.value())));
        let snapshots = self.tables.iter().flat_map(|(name, table)| {
            table.snapshots.iter().map(|(node, snapshot)| {
                (RecordKey::Snapshot(node.clone(), name.clone()), RecordRef::Snapshot(snapshot.value()))
            })
        });
        let config = self.config.records().map(|(key, record)| (RecordKey::Config(key), RecordRef::Config(record)));
        let change_keys = self.change_keys.iter();
        let change_keys =
            change_keys.map(|(revision, key)| (RecordKey::ChangeKey(revision), RecordRef::ChangeKey(key.value())));
        let unused = self.unused.iter();
        let unused = unused.map(|(table, one)| (RecordKey::Unused(table.clone()), RecordRef::Unused(one.value())));
        let publishers = self.publishers.iter();
        let publishers =
            publishers.map(|(node, one)| (RecordKey::Publisher(node.clone()), RecordRef::Publisher(one.value())));
        nodes.chain(schemas).chain(snapshots).chain(config).chain(change_keys).chain(publishers).chain(unused)
    }

    /// Builds a state again from its records. A table's rows come after its schema and after their node.
    ///
    /// # Errors
    /// Says which record does not go with those before it.
    pub fn restore(revision: u64, records: impl IntoIterator<Item = (RecordKey, Record)>) -> Result<Self, String> {
        let mut state = Self { revision, ..Self::default() };
        let mut tables: BTreeMap<TableName, Table> = BTreeMap::new();
        for (key, record) in records {
            let added = match (key, record) {
                (RecordKey::Node(key), Record::Node(node)) => {
                    let node = Hashed::node(node);
                    let added = node.hash();
                    state.nodes.insert(key, Arc::new(node));
                    added
                }
                (RecordKey::Schema(name), Record::Schema(schema)) => {
                    let schema = Hashed::schema(schema);
                    let added = schema.hash();
                    tables.insert(name, Table::new(schema));
                    added
                }
                (RecordKey::Snapshot(node, name), Record::Snapshot(snapshot)) => {
                    let table =
                        tables.get_mut(&name).ok_or_else(|| format!("rows of table {name}, which has no schema"))?;
                    if !state.nodes.contains_key(&node) {
                        return Err(format!("rows of table {name} on node {node}, which is not known"));
                    }
                    let snapshot = Hashed::snapshot(&node, &name, snapshot);
                    let added = snapshot.hash();
                    table.snapshots.insert(node, Arc::new(snapshot));
                    added
                }
                (RecordKey::Config(key), Record::Config(record)) if record.belongs_to(&key) => {
                    let added = config::hash_of(&key, &record);
                    state.config.set(&key, Some(record));
                    added
                }
                (RecordKey::ChangeKey(revision), Record::ChangeKey(change_key)) => {
                    let change_key = Hashed::change_key(revision, change_key);
                    let added = change_key.hash();
                    state.change_keys.insert(revision, change_key);
                    added
                }
                (RecordKey::Publisher(node), Record::Publisher(publisher)) => {
                    let publisher = Hashed::publisher(&node, publisher);
                    let added = publisher.hash();
                    state.publishers.insert(node, Arc::new(publisher));
                    added
                }
                (RecordKey::Unused(table), Record::Unused(unused)) => {
                    let unused = Hashed::unused(&table, unused);
                    let added = unused.hash();
                    state.unused.insert(table, Arc::new(unused));
                    added
                }
                (key, _) => return Err(format!("a record of another kind than its key {key:?}")),
            };
            state.hash = state.hash.wrapping_add(added);
        }
        let drawn = |mut table: Table| {
            table.columnar = Chunks::of(&table.snapshots);
            Arc::new(table)
        };
        state.tables = tables.into_iter().map(|(name, table)| (name, drawn(table))).collect();
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use unum_proto::model::{DataType, TableSchema};

    use super::*;

    #[test]
    fn keys_are_frozen() {
        let node = NodeKey::parse("tikv", "tikv-1.eu").unwrap();
        let table: TableName = "slow_query".parse().unwrap();
        let bytes = |key: RecordKey| key.bytes().escape_ascii().to_string();
        assert_eq!(bytes(RecordKey::Node(node.clone())), "n/tikv/tikv-1.eu");
        assert_eq!(bytes(RecordKey::Schema(table.clone())), "s/slow_query");
        assert_eq!(bytes(RecordKey::Snapshot(node.clone(), table)), "t/tikv/tikv-1.eu/slow_query");
        assert_eq!(bytes(RecordKey::Config(ConfigRecordKey::Since(node))), "c/\\x05\\x04tikv\\ttikv-1.eu");
        let node = NodeKey::parse("tikv", "tikv-1.eu").unwrap();
        assert_eq!(bytes(RecordKey::Publisher(node)), "p/tikv/tikv-1.eu");
        assert_eq!(bytes(RecordKey::Unused("load".parse().unwrap())), "u/load");
        assert_eq!(bytes(RecordKey::ChangeKey(258)), "k/\\x00\\x00\\x00\\x00\\x00\\x00\\x01\\x02");
    }

    #[test]
    fn a_table_whose_name_was_reserved_since_is_read() {
        let node = NodeKey::parse("tikv", "1").unwrap();
        let key = RecordKey::Snapshot(node, TableName::of_record("nodes").unwrap());
        let snapshot = Snapshot { rows: Vec::new(), collected_at_us: 1, received_at_us: 2, revision: 3 };
        let bytes = RecordRef::Snapshot(&snapshot).bytes(&key);
        assert_eq!(Record::read(&key.bytes(), &bytes), Ok((key, Record::Snapshot(snapshot))));
    }

    #[test]
    fn nodes_and_schemas_of_the_version_before_are_read() {
        let key = NodeKey::parse("tikv", "1").unwrap();
        let description = NodeDescription::new(key.clone());
        let before = (&description, NodeStatus::Stale, 5u64, 6u64, 7u64, 8i64, 9u64, 10i64);
        let bytes = postcard::to_extend(&before, vec![VERSION_BEFORE]).unwrap();
        let (_, Record::Node(node)) = Record::read(&RecordKey::Node(key).bytes(), &bytes).unwrap() else { panic!() };
        assert_eq!((node.status, node.sequence, node.status_since_us), (NodeStatus::Stale, 6, 10));
        let schema = TableSchema::of("t", &[("a", DataType::Int64, "")]).unwrap();
        let bytes = postcard::to_extend(&schema, vec![VERSION_BEFORE]).unwrap();
        let key = RecordKey::Schema(schema.name.clone());
        let expected = Record::Schema(KnownSchema::of_old_record(schema));
        assert_eq!(Record::read(&key.bytes(), &bytes), Ok((key, expected)));
    }

    #[test]
    fn what_is_no_record_is_told_with_its_key() {
        for (key, bytes, part) in [
            (&b"k/1"[..], &[VERSION, 1, b'x'][..], "record k/1 does not decode: its key has no revision"),
            (b"x/1", &[VERSION], "its key is of no kind"),
            (b"", &[VERSION], "its key is of no kind"),
            (b"t/tikv/1", &[VERSION], "its key names no table of a node"),
            (b"n/tikv/1", &[], "it is empty"),
            (b"n/tikv/1", &[VERSION, 3], "record n/tikv/1 does not decode"),
            (b"n/tikv/1", &[9, 3], "has format version 9, this unumd knows 2; run the version that wrote it"),
        ] {
            let error = Record::read(key, bytes).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
