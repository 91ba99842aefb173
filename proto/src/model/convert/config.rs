//! What nodes hear and say of their configuration.

use super::parts::required;
use crate::model::config::{check_key, check_value};
use crate::model::invalid::at_most;
use crate::model::limits::CONFIG_REPORTS_MAX;
use crate::model::{ConfigOutcome, ConfigReport, ConfigReports, DesiredValue, Invalid};
use crate::wire;

impl From<DesiredValue> for wire::ConfigDesiredValue {
    fn from(value: DesiredValue) -> Self {
        let DesiredValue { change, key, value, attempts } = value;
        Self { change: change.into(), key, value, attempts }
    }
}

impl TryFrom<wire::ConfigDesiredValue> for DesiredValue {
    type Error = Invalid;

    fn try_from(wire: wire::ConfigDesiredValue) -> Result<Self, Invalid> {
        let wire::ConfigDesiredValue { change, key, value, attempts } = wire;
        check_key(&key)?;
        check_value(&key, &value)?;
        Ok(Self { change: change.into(), key, value, attempts })
    }
}

impl From<&ConfigReports> for wire::ConfigReportRequest {
    fn from(reports: &ConfigReports) -> Self {
        let report = |report: &ConfigReport| {
            let (outcome, error) = match &report.outcome {
                ConfigOutcome::Applied => (wire::ConfigOutcome::Applied, ""),
                ConfigOutcome::NeedsRestart => (wire::ConfigOutcome::NeedsRestart, ""),
                ConfigOutcome::Failed(why) => (wire::ConfigOutcome::Failed, why.as_str()),
                ConfigOutcome::Rejected(why) => (wire::ConfigOutcome::Rejected, why.as_str()),
            };
            wire::ConfigReport {
                change: report.change.into(),
                key: report.key.clone(),
                outcome: outcome.into(),
                error: error.to_owned(),
                attempt: report.attempt,
            }
        };
        Self { node: Some((&reports.node).into()), reports: reports.reports.iter().map(report).collect() }
    }
}

impl TryFrom<wire::ConfigReportRequest> for ConfigReports {
    type Error = Invalid;

    fn try_from(wire: wire::ConfigReportRequest) -> Result<Self, Invalid> {
        at_most("the request", wire.reports.len(), CONFIG_REPORTS_MAX, "reports")?;
        let report = |wire: wire::ConfigReport| {
            check_key(&wire.key)?;
            let outcome = match wire::ConfigOutcome::try_from(wire.outcome) {
                Ok(wire::ConfigOutcome::Applied) => ConfigOutcome::Applied,
                Ok(wire::ConfigOutcome::NeedsRestart) => ConfigOutcome::NeedsRestart,
                Ok(wire::ConfigOutcome::Failed) => ConfigOutcome::Failed(wire.error),
                Ok(wire::ConfigOutcome::Rejected) => ConfigOutcome::Rejected(wire.error),
                Ok(wire::ConfigOutcome::Unspecified) | Err(_) => {
                    return Err(Invalid::new(
                        format!("the outcome {} of config key {} is unknown", wire.outcome, wire.key),
                        "name one of unum.v1.ConfigOutcome",
                    ));
                }
            };
            if wire.attempt == 0 {
                return Err(Invalid::new(format!("attempt 0 to set {}", wire.key), "count from 1"));
            }
            Ok(ConfigReport::new(wire.change.into(), wire.key, outcome, wire.attempt))
        };
        let reports = wire.reports.into_iter().map(report).collect::<Result<_, Invalid>>()?;
        Ok(Self { node: required(wire.node, "node key")?.try_into()?, reports })
    }
}
