//! Seeded randomness for property tests: the same on every run and every machine.

#![allow(dead_code)] // each test file uses a part of it

/// A small generator (SplitMix64).
#[derive(Debug)]
pub(crate) struct Random(u64);

/// What breaks encoders, and a little of everything else.
const HOSTILE: &[char] = &[
    '\\', '"', ',', '=', ' ', '\n', '\t', '\r', '\0', '#', 'a', 'b', '0', 'i', 'é', '日', '🦀',
    '\u{7f}', '\u{85}', '\u{a0}', ':',
];

/// The part of it that every name can hold, but for a backslash at the end.
const HARMLESS: &[char] =
    &['\\', '"', ',', '=', ' ', 'a', 'b', '0', 'i', 'é', '日', '🦀', '\u{a0}', ':'];

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.number() % bound as u64) as usize
    }

    pub(crate) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// A short text of hostile characters, at times empty or long.
    pub(crate) fn hostile(&mut self) -> String {
        let length = if self.one_in(40) { 40 + self.below(60) } else { self.below(6) };
        (0..length).map(|_| self.pick(HOSTILE)).collect()
    }

    /// A name that can be written, of characters that must be escaped as often as not.
    pub(crate) fn name(&mut self) -> String {
        let length = if self.one_in(40) { 40 + self.below(60) } else { self.below(6) };
        let mut name: String = (0..length).map(|_| self.pick(HARMLESS)).collect();
        name.push(self.pick(&['a', 'b', ' ', ',', '=', 'é']));
        name
    }

    /// Mostly a name that can be written.
    pub(crate) fn mostly_name(&mut self) -> String {
        match self.below(40) {
            0 => self.hostile(),
            1 => self.pick(&["time", "__chunk_order", "#", "", "times"]).to_owned(),
            2 => "é".repeat(self.below(40)),
            _ => self.name(),
        }
    }

    /// A number of every class.
    pub(crate) fn float(&mut self) -> f64 {
        match self.below(8) {
            0 => self.pick(&[
                0.0,
                -0.0,
                1.0,
                -1.0,
                0.1,
                f64::MIN_POSITIVE,
                f64::MAX,
                f64::MIN,
                f64::EPSILON,
            ]),
            1 => f64::from_bits(self.number() & 0x800f_ffff_ffff_ffff),
            2 => 10f64.powi(self.below(618) as i32 - 309),
            3 => (self.number() as i64 >> self.below(64)) as f64,
            4 => self.pick(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]),
            5 => (self.below(2_000_000) as f64 - 1_000_000.0) / 100.0,
            _ => f64::from_bits(self.number()),
        }
    }

    /// A number of every class.
    pub(crate) fn float32(&mut self) -> f32 {
        match self.below(6) {
            0 => self.pick(&[0.0, -0.0, 0.1, f32::MIN_POSITIVE, f32::MAX, f32::MIN]),
            1 => f32::from_bits(self.number() as u32 & 0x807f_ffff),
            2 => 10f32.powi(self.below(78) as i32 - 39),
            3 => f32::NAN,
            _ => f32::from_bits(self.number() as u32),
        }
    }

    /// A number of any length.
    pub(crate) fn integer(&mut self) -> i64 {
        match self.below(4) {
            0 => self.pick(&[i64::MIN, i64::MAX, 0, -1, 1]),
            _ => self.number() as i64 >> self.below(64),
        }
    }
}
