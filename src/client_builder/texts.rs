//! Settings that are given as texts, by the environment and by connection strings.

use super::ClientBuilder;
use crate::{Error, config};

impl ClientBuilder {
    /// Sets what a variable or a key of a connection string stands for; `source` names it in problems.
    pub(crate) fn set(mut self, setting: &str, source: &str, value: &str) -> Self {
        let known = self.problems.len();
        let wrong = match setting {
            "host" => return self.host(value).problems_of(source, known),
            "token" => return self.token(value).problems_of(source, known),
            "database" => return self.database(value),
            "org" => return self.organization(value),
            "authScheme" => return self.auth_scheme(value).problems_of(source, known),
            "precision" => match value.parse() {
                Ok(precision) => return self.precision(precision),
                Err(error) => Error::message(&error).to_owned(),
            },
            "gzipThreshold" => match value.parse() {
                Ok(_) if cfg!(not(feature = "gzip")) => {
                    "needs the feature `gzip` of this crate".into()
                }
                Ok(bytes) => {
                    self.gzip_threshold = Some(bytes);
                    return self;
                }
                Err(_) => format!("{value:?} is no number of bytes"),
            },
            "writeNoSync" | "writeAcceptPartial" | "writeUseV2Api" => {
                match config::env::parse_bool(value) {
                    Ok(value) => {
                        return match setting {
                            "writeNoSync" => self.no_sync(value),
                            "writeAcceptPartial" => self.accept_partial(value),
                            _ => self.use_v2_api(value),
                        };
                    }
                    Err(problem) => problem,
                }
            }
            "writeTimeout" | "queryTimeout" => match config::env::parse_duration(value) {
                Ok(timeout) if setting == "writeTimeout" => return self.write_timeout(timeout),
                Ok(timeout) => return self.query_timeout(timeout),
                Err(problem) => problem,
            },
            _ => "is not known".to_owned(),
        };
        self.problem(format!("{source}: {wrong}"))
    }

    pub(crate) fn problem(mut self, problem: impl Into<String>) -> Self {
        self.problems.push(problem.into());
        self
    }

    fn problems_of(mut self, source: &str, known: usize) -> Self {
        for problem in &mut self.problems[known..] {
            *problem = format!("{source}: {problem}");
        }
        self
    }
}
