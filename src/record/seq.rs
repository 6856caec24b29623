//! Collections of records are records.

use std::marker::PhantomData;

use super::{Lines, Record};
use crate::{Precision, Result};

/// Marks a single record. See [`Record`].
#[derive(Debug)]
#[non_exhaustive]
pub struct One;

/// Marks an iterator of records. See [`Record`].
#[derive(Debug)]
pub struct Iter<K>(PhantomData<K>);

/// Marks a vector, array or slice of records. See [`Record`].
#[derive(Debug)]
pub struct Seq<K>(PhantomData<K>);

impl<I, K> Record<Iter<K>> for I
where
    I: Iterator,
    I::Item: Record<K>,
{
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        lines.push_all(self, Record::encode)
    }
}

/// A collection belongs where its first record does; encoding refuses records that belong elsewhere.
macro_rules! like_the_first {
    () => {
        fn precision(&self) -> Option<Precision> {
            self.first().and_then(|record| record.precision())
        }

        fn database(&self) -> Option<String> {
            self.first().and_then(|record| record.database())
        }

        fn organization(&self) -> Option<String> {
            self.first().and_then(|record| record.organization())
        }
    };
}

impl<R: Record<K>, K> Record<Seq<K>> for Vec<R> {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        lines.push_all(self.into_iter(), Record::encode)
    }

    like_the_first!();
}

impl<R: Record<K>, K, const N: usize> Record<Seq<K>> for [R; N] {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        lines.push_all(self.into_iter(), Record::encode)
    }

    like_the_first!();
}

impl<'a, T, K> Record<Seq<K>> for &'a [T]
where
    &'a T: Record<K>,
{
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        lines.push_all(self.iter(), Record::encode)
    }

    like_the_first!();
}

impl<'a, T, K> Record<Seq<K>> for &'a Vec<T>
where
    &'a T: Record<K>,
{
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        self.as_slice().encode(lines)
    }

    like_the_first!();
}

impl<'a, T, K, const N: usize> Record<Seq<K>> for &'a [T; N]
where
    &'a T: Record<K>,
{
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        self.as_slice().encode(lines)
    }

    like_the_first!();
}
