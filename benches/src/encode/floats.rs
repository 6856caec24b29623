//! The texts of floats, held against those of `zmij` on more numbers than a test has time for.

use influxdb3_blocking::LineBuffer;

/// Checks every `step`th bit pattern of an `f32`, as an `f32` and as an `f64`, and decimals of up to 8 places with their
/// neighbours.
pub fn check(step: u32) {
    let mut checker = Checker::default();
    for bits in (0..=u32::MAX).step_by(step.max(1) as usize) {
        let value = f32::from_bits(bits);
        if value.is_finite() {
            checker.single(value);
            checker.double(f64::from(value));
        }
    }
    println!("{} texts of f32 and of these as f64 are those of zmij", checker.count);
    for places in 0..=8 {
        let scale = 10f64.powi(places);
        // Every number of up to six digits, and such as have up to 15.
        let small = (0..1_000_000u64).step_by(step.min(1_000) as usize);
        let large = (0..1_000_000u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 14);
        for number in small.chain(large) {
            let decimal = number as f64 / scale;
            for value in [decimal, decimal.next_up(), decimal.next_down(), -decimal] {
                checker.double(value);
            }
        }
    }
    println!("{} texts in all", checker.count);
}

#[derive(Default)]
struct Checker {
    lines: LineBuffer,
    count: u64,
}

impl Checker {
    fn single(&mut self, value: f32) {
        let line = self.lines.measurement("m").unwrap().field("f", value).unwrap();
        line.end().unwrap();
        self.compare(zmij::Buffer::new().format_finite(value));
    }

    fn double(&mut self, value: f64) {
        let line = self.lines.measurement("m").unwrap().field("f", value).unwrap();
        line.end().unwrap();
        self.compare(zmij::Buffer::new().format_finite(value));
    }

    fn compare(&mut self, expected: &str) {
        let text = self.lines.as_bytes().strip_prefix(b"m f=").and_then(|t| t.strip_suffix(b"\n"));
        assert_eq!(text, Some(expected.as_bytes()), "{expected}");
        self.lines.clear();
        self.count += 1;
    }
}
