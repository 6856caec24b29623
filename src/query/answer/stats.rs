use std::time::Duration;

use crate::query::call::Trailers;

/// What the server measured while it ran a query.
///
/// InfluxDB 3 sends it after the last row, if it does at all: Core does not. Every value may be missing.
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// let table = client.query("SELECT * FROM home").table()?;
/// let stats = table.stats();
/// println!("executed in {:?}", stats.execution_duration);
/// println!("{:?}", stats.get("x-influxdata-partitions"));
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct QueryStats {
    /// The wait for a free slot.
    pub queue_duration: Option<Duration>,
    /// The time for planning, all in all.
    pub planning_duration: Option<Duration>,
    /// The part of it for the logical plan: reading the query, finding its tables and columns (from 3.10 on).
    pub logical_planning_duration: Option<Duration>,
    /// The part of it for the physical plan: how the query is run, and on which files (from 3.10 on).
    pub physical_planning_duration: Option<Duration>,
    /// The time from the plan to the last row.
    pub execution_duration: Option<Duration>,
    /// The time of all processors together.
    pub compute_duration: Option<Duration>,
    /// The most memory that the query took, in bytes.
    pub max_memory_bytes: Option<u64>,
    /// How many partitions it read.
    pub partitions: Option<u64>,
    /// How many Parquet files it read.
    pub parquet_files: Option<u64>,
    values: Vec<(String, String)>,
}

impl QueryStats {
    /// The values among these trailers. Those that cannot be read as what they are named for are left out.
    pub(crate) fn read(trailers: &Trailers) -> Self {
        let values: Vec<_> =
            trailers.iter().filter(|(name, _)| name.starts_with(PREFIX)).cloned().collect();
        let text = |name: &str| {
            let found = values.iter().find(|(key, _)| key.strip_prefix(PREFIX) == Some(name));
            found.map(|(_, value)| value.trim())
        };
        let duration = |name: &str| {
            let seconds = text(name)?.parse().ok()?;
            Duration::try_from_secs_f64(seconds).ok()
        };
        let number = |name: &str| text(name)?.parse().ok();
        Self {
            queue_duration: duration("queue-duration-seconds"),
            planning_duration: duration("planning-duration-seconds"),
            logical_planning_duration: duration("logical-planning-duration-seconds"),
            physical_planning_duration: duration("physical-planning-duration-seconds"),
            execution_duration: duration("execution-duration-seconds"),
            compute_duration: duration("compute-duration-seconds"),
            max_memory_bytes: number("max-memory-bytes"),
            partitions: number("partitions"),
            parquet_files: number("parquet-files"),
            values,
        }
    }

    /// Any of the values by the name of its trailer, such as `x-influxdata-partitions`, as the server sent it.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let table = client.query("SELECT * FROM home").table()?;
    /// if let Some(count) = table.stats().get("x-influxdata-parquet-files") {
    ///     println!("{count} files were read");
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.values.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Whether the server sent no such value.
    ///
    /// ```
    /// use influxdb3_blocking::QueryStats;
    ///
    /// let stats = QueryStats::default(); // as Core has them
    /// assert!(stats.is_empty() && stats.execution_duration.is_none());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

const PREFIX: &str = "x-influxdata-";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailers_are_read_and_oddities_left_out() {
        let trailers = [
            ("grpc-status", "0"),
            ("x-influxdata-queue-duration-seconds", "0.25"),
            ("x-influxdata-compute-duration-seconds", "-1"),
            ("x-influxdata-execution-duration-seconds", "inf"),
            ("x-influxdata-partitions", "7"),
            ("x-influxdata-parquet-files", "many"),
            ("x-influxdata-ingester-partition-count", "3"),
        ];
        let trailers = trailers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let stats = QueryStats::read(&trailers);
        assert_eq!(stats.queue_duration, Some(Duration::from_millis(250)));
        assert_eq!((stats.compute_duration, stats.execution_duration), (None, None));
        assert_eq!((stats.partitions, stats.parquet_files), (Some(7), None));
        assert_eq!(stats.get("X-Influxdata-Ingester-Partition-Count"), Some("3"));
        assert_eq!(stats.get("grpc-status"), None);
        assert!(!stats.is_empty() && QueryStats::read(&Trailers::new()).is_empty());
    }
}
