//! CRC-32 as of zlib, PNG and gzip: eight bytes at a time, by tables.

/// The checksum of the pieces, one behind the other. `start` takes the place of the sum of what came before.
pub(super) fn crc32(start: u32, pieces: &[&[u8]]) -> u32 {
    !pieces.iter().fold(!start, |crc, piece| update(crc, piece))
}

fn update(mut crc: u32, bytes: &[u8]) -> u32 {
    let (eights, rest) = bytes.as_chunks::<8>();
    for eight in eights {
        let [a, b, c, d, e, f, g, h] = *eight;
        let [i, j, k, l] = (crc ^ u32::from_le_bytes([a, b, c, d])).to_le_bytes();
        crc = look_up(7, i)
            ^ look_up(6, j)
            ^ look_up(5, k)
            ^ look_up(4, l)
            ^ look_up(3, e)
            ^ look_up(2, f)
            ^ look_up(1, g)
            ^ look_up(0, h);
    }
    for byte in rest {
        crc = (crc >> 8) ^ look_up(0, *byte ^ crc.to_le_bytes()[0]);
    }
    crc
}

fn look_up(table: usize, byte: u8) -> u32 {
    TABLES[table][usize::from(byte)]
}

static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = (before >> 8) ^ tables[0][(before & 0xFF) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

const POLYNOMIAL: u32 = 0xEDB8_8320;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_everybody_else() {
        // The check value of the catalogues.
        assert_eq!(crc32(0, &[b"123456789"]), 0xCBF4_3926);
        assert_eq!(crc32(0, &[b"1234", b"", b"56789"]), 0xCBF4_3926);
        assert_eq!(crc32(0, &[b""]), 0);
        assert_eq!(crc32(crc32(0, &[b"12345"]), &[b"6789"]), 0xCBF4_3926);
    }

    #[test]
    fn any_length_is_what_bit_by_bit_gives() {
        let bytes: Vec<u8> = (0..100_u8).map(|n| n.wrapping_mul(37)).collect();
        for length in 0..bytes.len() {
            let slow = !bytes[..length].iter().fold(!7_u32, |crc, byte| {
                (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                    (crc >> 1) ^ (POLYNOMIAL & (crc & 1).wrapping_neg())
                })
            });
            assert_eq!(crc32(7, &[&bytes[..length]]), slow, "{length}");
        }
    }
}
