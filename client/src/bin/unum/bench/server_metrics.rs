//! What the replicas say of themselves on their HTTP port: how much CPU time they took, what they wrote.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use unum_client::Error;

/// How long one replica may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of an answer.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What all replicas together used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// CPU time, seconds.
    pub cpu_s: f64,
    /// Bytes that went to the disk.
    pub written_bytes: f64,
    /// The largest resident memory of any, bytes.
    pub resident_bytes_max: f64,
}

impl Usage {
    /// What the replicas at these HTTP addresses used since they started; none if no address is named.
    pub async fn of_all(addresses: &[String]) -> Result<Option<Self>, Error> {
        let mut sum = Self::default();
        for addr in addresses {
            let refused = |why: String| Error::Refused(format!("{addr}: {why}; --metrics takes the HTTP addresses"));
            let text = tokio::time::timeout(TIMEOUT, get(addr)).await;
            let text = text.map_err(|_| refused("no answer".into()))?.map_err(|e| refused(e.to_string()))?;
            let value = |name: &str| metric(&text, name).ok_or_else(|| refused(format!("no metric {name}")));
            sum.cpu_s += value("process_cpu_seconds_total")?;
            sum.written_bytes += value("unum_disk_written_bytes_total")?;
            sum.resident_bytes_max = sum.resident_bytes_max.max(value("process_resident_memory_bytes")?);
        }
        Ok((!addresses.is_empty()).then_some(sum))
    }

    /// What was used since then.
    pub fn since(&self, before: &Self) -> Self {
        Self { cpu_s: self.cpu_s - before.cpu_s, written_bytes: self.written_bytes - before.written_bytes, ..*self }
    }
}

async fn get(addr: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.write_all(format!("GET /metrics HTTP/1.0\r\nHost: {addr}\r\n\r\n").as_bytes()).await?;
    let mut text = String::new();
    stream.take(BYTES_MAX).read_to_string(&mut text).await?;
    Ok(text)
}

/// The sum over all labels of a metric.
fn metric(text: &str, name: &str) -> Option<f64> {
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let value = if rest.starts_with('{') { rest.split_once('}')?.1 } else { rest };
        value.starts_with(' ').then(|| value.trim().parse::<f64>().ok())?
    });
    values.reduce(|sum, value| sum + value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_found_with_and_without_labels_and_not_by_a_part_of_its_name() {
        let text = "# TYPE a counter\na 2\nab 7\nc{x=\"1\"} 1\nc{x=\"2\"} 2.5\n";
        assert_eq!((metric(text, "a"), metric(text, "c"), metric(text, "d")), (Some(2.0), Some(3.5), None));
    }
}
