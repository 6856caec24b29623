//! Which cluster answers, for the log.

use std::sync::{Arc, Mutex, PoisonError};

use log::Level;

use crate::transport::Host;

/// The clusters that hosts have said they belong to, by the header `cluster-uuid`, which InfluxDB 3 sends since 3.7.
#[derive(Debug, Default)]
pub(super) struct Clusters(Mutex<Vec<HostCluster>>);

#[derive(Debug)]
struct HostCluster {
    host: Arc<Host>,
    cluster: String,
}

impl Clusters {
    /// Logs what is new in an answer of this host: its cluster, and that it is not the one of before, or of another
    /// host. Called for each answer, and allocates nothing where nothing is new.
    pub(super) fn note(&self, host: &Arc<Host>, cluster: &str) {
        if let Some((level, text)) = self.news(host, cluster) {
            log::log!(level, "{text}");
        }
    }

    fn news(&self, host: &Arc<Host>, cluster: &str) -> Option<(Level, String)> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = known.iter_mut().find(|known| Arc::ptr_eq(&known.host, host)) {
            if own.cluster == cluster {
                return None;
            }
            let before = std::mem::replace(&mut own.cluster, cluster.to_owned());
            let text = format!(
                "{host} belongs to the cluster {cluster}, and to {before} before: it does not have the same databases"
            );
            return Some((Level::Warn, text));
        }
        let other = known.iter().find(|known| known.cluster != cluster);
        let news = match other {
            None => (Level::Info, format!("{host} belongs to the cluster {cluster}")),
            Some(HostCluster { host: other, .. }) => {
                let text = format!(
                    "{host} belongs to the cluster {cluster}, and {other} to another one: they do not have the same \
                     databases"
                );
                (Level::Warn, text)
            }
        };
        known.push(HostCluster { host: host.clone(), cluster: cluster.to_owned() });
        Some(news)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Endpoint;

    #[test]
    fn what_is_new_is_told_once() {
        let clusters = Clusters::default();
        let [a, b, c] = ["http://a", "http://b", "http://c"]
            .map(|host| Arc::new(Host { endpoint: Endpoint::parse(host).unwrap(), proxy: None }));
        let is_news = |host, cluster, level, text: &str| {
            let (found, news) = clusters.news(host, cluster).unwrap();
            assert!(found == level && news.contains(text), "{found}: {news}");
            assert_eq!(clusters.news(host, cluster), None, "it is told once");
        };
        is_news(&a, "1", Level::Info, "http://a:80 belongs to the cluster 1");
        is_news(&b, "1", Level::Info, "http://b:80 belongs to the cluster 1");
        is_news(&c, "2", Level::Warn, "to the cluster 2, and http://a:80 to another one");
        is_news(&a, "2", Level::Warn, "http://a:80 belongs to the cluster 2, and to 1 before");
    }
}
