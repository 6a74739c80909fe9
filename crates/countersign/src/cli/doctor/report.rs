use std::fmt;

use serde::Serialize;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// As it should be.
    Ok,
    /// It works; somebody should look at it.
    Warn,
    /// A start or a send would fail.
    Fail,
}

/// One line.
#[derive(Debug, Serialize)]
struct Finding {
    check: String,
    status: Status,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

/// All lines, in the order in which they were found.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    findings: Vec<Finding>,
}

impl Report {
    pub(super) fn ok(&mut self, check: impl Into<String>, found: impl Into<String>) {
        self.findings.push(Finding { check: check.into(), status: Status::Ok, found: found.into(), advice: None });
    }

    /// All right as it is; something could be wished for.
    pub(super) fn note(&mut self, check: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) {
        let advice = Some(advice.into());
        self.findings.push(Finding { check: check.into(), status: Status::Ok, found: found.into(), advice });
    }

    pub(super) fn warn(&mut self, check: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) {
        let advice = Some(advice.into());
        self.findings.push(Finding { check: check.into(), status: Status::Warn, found: found.into(), advice });
    }

    pub(super) fn fail(&mut self, check: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) {
        let advice = Some(advice.into());
        self.findings.push(Finding { check: check.into(), status: Status::Fail, found: found.into(), advice });
    }

    pub(super) fn worst(&self) -> Status {
        self.findings.iter().map(|finding| finding.status).max().unwrap_or(Status::Ok)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.findings.iter().map(|finding| finding.check.len()).max().unwrap_or(0);
        for Finding { check, status, found, advice } in &self.findings {
            write!(f, "{status:4}  {check:width$}  {found}")?;
            if let Some(advice) = advice {
                write!(f, "; {advice}")?;
            }
            writeln!(f)?;
        }
        write!(
            f,
            "{}",
            match self.worst() {
                Status::Ok => "All is well.",
                Status::Warn => "It works; look at the warnings.",
                Status::Fail => "It does not work yet; mend what failed.",
            }
        )
    }
}
