//! The result of a bench, for people or for programs.

use clap::ValueEnum;
use comfy_table::{Table, presets};
use serde::Serialize;

use super::args::{BenchArgs, ReportFormat};
use super::load::Measured;
use super::server_metrics::Usage;

/// One work's result.
#[derive(Debug, Serialize)]
pub struct Report {
    system: &'static str,
    work: String,
    replica: String,
    consistency: String,
    clients: u32,
    nodes: u32,
    row_bytes: u32,
    ops_per_s: f64,
    p50_us: u64,
    p99_us: u64,
    p999_us: u64,
    max_us: u64,
    errors: u64,
    /// CPU time of all replicas an operation, microseconds.
    server_cpu_us_per_op: Option<f64>,
    /// Bytes that all replicas wrote an operation, as the kernel counts them: whole blocks of its cache.
    written_bytes_per_op: Option<f64>,
    /// The largest resident memory of any replica at the end, MB.
    resident_mb_max: Option<f64>,
    /// Why the first error was one.
    #[serde(skip)]
    pub first_error: Option<String>,
}

impl Report {
    /// What was measured of a work, and what the replicas used meanwhile.
    pub fn new(work: &str, args: &BenchArgs, measured: Measured, used: Option<Usage>) -> Self {
        let Measured { latencies, errors, first_error, took } = measured;
        let name =
            |value: Option<clap::builder::PossibleValue>| value.map_or_else(String::new, |v| v.get_name().to_owned());
        let per_op = |all: f64| round(all / latencies.len().max(1) as f64);
        Self {
            system: "unum",
            work: work.to_owned(),
            replica: name(args.replica.to_possible_value()),
            consistency: format!("{:?}", args.consistency).to_lowercase(),
            clients: args.clients,
            nodes: args.nodes,
            row_bytes: args.row_bytes,
            ops_per_s: round(latencies.len() as f64 / took.as_secs_f64()),
            p50_us: latencies.value_at_quantile(0.5),
            p99_us: latencies.value_at_quantile(0.99),
            p999_us: latencies.value_at_quantile(0.999),
            max_us: latencies.max(),
            errors,
            server_cpu_us_per_op: used.map(|used| per_op(used.cpu_s * 1e6)),
            written_bytes_per_op: used.map(|used| per_op(used.written_bytes)),
            resident_mb_max: used.map(|used| round(used.resident_bytes_max / 1e6)),
            first_error,
        }
    }
}

fn round(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

impl ReportFormat {
    /// All results, without a newline at the end.
    pub fn render(self, reports: &[Report]) -> String {
        match self {
            Self::Json => {
                let line = |report| serde_json::to_string(report).expect("numbers and text encode");
                reports.iter().map(line).collect::<Vec<_>>().join("\n")
            }
            Self::Table => {
                let mut table = Table::new();
                table.load_preset(presets::ASCII_MARKDOWN);
                table.set_header([
                    "work",
                    "clients",
                    "ops/s",
                    "p50 ms",
                    "p99 ms",
                    "p99.9 ms",
                    "errors",
                    "server CPU us/op",
                    "written B/op",
                    "RSS MB",
                ]);
                let ms = |us: u64| format!("{:.2}", us as f64 / 1000.0);
                let known = |number: Option<f64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
                for report in reports {
                    table.add_row([
                        report.work.clone(),
                        report.clients.to_string(),
                        report.ops_per_s.to_string(),
                        ms(report.p50_us),
                        ms(report.p99_us),
                        ms(report.p999_us),
                        report.errors.to_string(),
                        known(report.server_cpu_us_per_op),
                        known(report.written_bytes_per_op),
                        known(report.resident_mb_max),
                    ]);
                }
                table.to_string()
            }
        }
    }
}
