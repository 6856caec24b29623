//! From lines back to their records.

/// The record of each line, in as few numbers as possible: points of which none was left out take
/// one entry, however many they are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct RecordMap(Vec<LineRun>);

/// Lines that stand one behind the other, up to the first line of the next run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct LineRun {
    first_line: usize,
    first_record: usize,
    /// One record a line, or all lines of the run from one record.
    one_to_one: bool,
}

impl RecordMap {
    /// Lines from `first_line` (from 0) on are of `record`; calls are in order.
    pub(super) fn add(&mut self, first_line: usize, lines: usize, record: usize) {
        if lines == 0 {
            return;
        }
        if let Some(run) = self.0.last_mut() {
            let before = first_line - run.first_line;
            if run.one_to_one && lines == 1 && run.first_record + before == record {
                return;
            }
            if run.first_record == record && (!run.one_to_one || before == 1) {
                run.one_to_one = false;
                return;
            }
        }
        self.0.push(LineRun { first_line, first_record: record, one_to_one: lines == 1 });
    }

    /// The place of the record of `line` (from 0).
    pub(crate) fn record_of(&self, line: usize) -> Option<usize> {
        let after = self.0.partition_point(|run| run.first_line <= line);
        let run = self.0.get(after.checked_sub(1)?)?;
        let offset = if run.one_to_one { line - run.first_line } else { 0 };
        Some(run.first_record + offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_traced_to_records() {
        // (lines of the record, its place); a place without lines was left out.
        let records = [1, 1, 0, 1, 3, 1, 1, 2, 2, 0, 1];
        let mut map = RecordMap::default();
        let mut expected = Vec::new();
        for (place, &lines) in records.iter().enumerate() {
            for _ in 0..lines {
                map.add(expected.len(), 1, place);
                expected.push(place);
            }
        }
        for (line, &place) in expected.iter().enumerate() {
            assert_eq!(map.record_of(line), Some(place), "line {line} of {map:?}");
        }
        let mut bulk = RecordMap::default();
        bulk.add(0, 5, 0);
        bulk.add(5, 1, 1);
        bulk.add(6, 4, 2);
        assert_eq!(
            (0..10).map(|l| bulk.record_of(l).unwrap()).collect::<Vec<_>>(),
            [0, 0, 0, 0, 0, 1, 2, 2, 2, 2]
        );
    }

    #[test]
    fn a_million_points_take_one_entry() {
        let mut map = RecordMap::default();
        (0..1_000_000).for_each(|n| map.add(n, 1, n));
        assert_eq!(map.0.len(), 1);
        assert_eq!(map.record_of(999_999), Some(999_999));
        assert_eq!(RecordMap::default().record_of(0), None);
    }
}
