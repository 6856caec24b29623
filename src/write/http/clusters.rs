//! Which cluster answers, for the log.

use std::sync::{Mutex, PoisonError};

/// The clusters that hosts have said they belong to, by `cluster-uuid`, which InfluxDB 3 sends since 3.7.
#[derive(Debug, Default)]
pub(super) struct Clusters(Mutex<Vec<Host>>);

#[derive(Debug)]
struct Host {
    base: String,
    cluster: String,
}

/// What is new about a host.
#[derive(Debug, Eq, PartialEq)]
enum News {
    /// It has not answered before.
    First,
    /// It was of this cluster before.
    Moved(String),
    /// It has not answered before, and this other host is of another cluster.
    Apart(String),
}

impl Clusters {
    /// Logs what is new: the cluster of a host, and that it is not that of before, or of another host.
    pub(super) fn note(&self, base: &str, cluster: &str) {
        match self.learn(base, cluster) {
            None => {}
            Some(News::First) => log::info!("{base} belongs to the cluster {cluster}"),
            Some(News::Moved(before)) => log::warn!(
                "{base} belongs to the cluster {cluster}, and to {before} before: it does not have the same databases"
            ),
            Some(News::Apart(other)) => log::warn!(
                "{base} belongs to the cluster {cluster}, and {other} to another one: they do not have the same \
                 databases"
            ),
        }
    }

    fn learn(&self, base: &str, cluster: &str) -> Option<News> {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.iter_mut().find(|host| host.base == base) {
            let is_same = host.cluster == cluster;
            return (!is_same)
                .then(|| News::Moved(std::mem::replace(&mut host.cluster, cluster.to_owned())));
        }
        let other = hosts.iter().find(|host| host.cluster != cluster);
        let news = other.map_or(News::First, |other| News::Apart(other.base.clone()));
        hosts.push(Host { base: base.to_owned(), cluster: cluster.to_owned() });
        Some(news)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_told_once() {
        let clusters = Clusters::default();
        assert_eq!(clusters.learn("http://a", "1"), Some(News::First));
        assert_eq!(clusters.learn("http://a", "1"), None);
        assert_eq!(clusters.learn("http://b", "1"), Some(News::First));
        assert_eq!(clusters.learn("http://c", "2"), Some(News::Apart("http://a".into())));
        assert_eq!(clusters.learn("http://a", "2"), Some(News::Moved("1".into())));
        assert_eq!(clusters.learn("http://a", "2"), None);
    }
}
