//! The fuzz targets on stable Rust: every seed, everything that is left of a seed when it is cut off, and thousands of
//! mutations, each checked by the oracle of its target.

#![allow(clippy::expect_used, clippy::unwrap_used)] // in functions beside the tests
#![allow(unreachable_pub)] // in the oracles, which are modules here and there

#[path = "../fuzz/oracles/mod.rs"]
mod oracles;
mod random;

use std::fs;
use std::path::Path;

use random::Random;

/// Mutations of each seed.
const MUTATIONS: usize = 400;

#[test]
fn every_target_has_seeds_and_they_pass() {
    for (name, check) in oracles::TARGETS {
        for seed in seeds(name) {
            check(&seed);
        }
    }
}

#[test]
fn seeds_pass_wherever_they_are_cut_off() {
    for (name, check) in oracles::TARGETS {
        for seed in seeds(name) {
            for length in 0..seed.len() {
                check(&seed[..length]);
            }
        }
    }
}

#[test]
fn mutations_of_seeds_pass() {
    for (number, (name, check)) in oracles::TARGETS.iter().enumerate() {
        let mut random = Random::new(number as u64);
        let seeds = seeds(name);
        for seed in &seeds {
            for _ in 0..MUTATIONS {
                let mut data = seed.clone();
                for _ in 0..=random.below(4) {
                    mutate(&mut data, &seeds, &mut random);
                }
                check(&data);
            }
        }
    }
}

/// Data that no seed has anything to do with.
#[test]
fn noise_passes() {
    let mut random = Random::new(99);
    for (_, check) in oracles::TARGETS {
        for _ in 0..1_000 {
            let length = random.below(400);
            let mask = random.pick(&[0xff, 0x7f, 0x3f]);
            let data: Vec<u8> = (0..length).map(|_| random.number() as u8 & mask).collect();
            check(&data);
        }
    }
}

fn mutate(data: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    let place = random.below(data.len() + 1);
    match random.below(6) {
        0 => data.insert(place, random.number() as u8),
        1 => data.insert(place, random.pick(b"\\\",= \n\t\r#\0")),
        2 => data.truncate(place),
        3 => {
            if let Some(byte) = data.get_mut(place) {
                *byte ^= 1 << random.below(8);
            }
        }
        4 => {
            let end = place + random.below(data.len() - place + 1);
            let part = data[place..end].to_vec();
            data.splice(place..place, part);
        }
        _ => {
            let other = &seeds[random.below(seeds.len())];
            let start = random.below(other.len() + 1);
            data.splice(place.., other[start..].iter().copied());
        }
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut files: Vec<_> = fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.expect("a readable directory").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has no seeds");
    files.iter().map(|file| fs::read(file).expect("a readable seed")).collect()
}
