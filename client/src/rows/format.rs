//! How rows may be written.

use std::path::Path;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Separated by `,`, `;`, tabs or `|`, with a header; or drawn, as `mysql -t` and `psql` do.
    Csv,
    /// Tab-separated, with a header.
    Tsv,
    /// One JSON object a line.
    Ndjson,
    /// JSON in any layout: an array of objects, or a document that has one.
    Json,
    /// Columns by blanks below a header, as ps, df, kubectl and docker print them.
    Columns,
    /// Samples of Prometheus.
    Prometheus,
    /// A slow query log of MySQL, MariaDB, Percona Server or TiDB.
    SlowLog,
    /// Lines of `name=value`.
    Logfmt,
}

impl Format {
    /// The format that a file's name tells: `.csv`, `.tsv`, `.tab`, `.ndjson`, `.jsonl`, `.json` or `.prom`.
    pub fn of_file(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "tsv" | "tab" => Some(Self::Tsv),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "json" => Some(Self::Json),
            "prom" => Some(Self::Prometheus),
            _ => None,
        }
    }
}
