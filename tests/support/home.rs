//! The home sensor data of InfluxData's tutorial, typed in: what the files in `tests/data` hold.

/// Temperature, humidity and carbon monoxide, an hour after the other.
pub type Readings = [(f64, f64, i64); 13];

/// 2022-01-01T08:00:00Z
pub const START: i64 = 1_641_024_000;

pub const LIVING_ROOM: Readings = [
    (21.1, 35.9, 0),
    (21.4, 35.9, 0),
    (21.8, 36.0, 0),
    (22.2, 36.0, 0),
    (22.2, 35.9, 0),
    (22.4, 36.0, 0),
    (22.3, 36.1, 0),
    (22.3, 36.1, 1),
    (22.4, 36.0, 4),
    (22.6, 35.9, 5),
    (22.8, 36.2, 9),
    (22.5, 36.3, 14),
    (22.2, 36.4, 17),
];

pub const KITCHEN: Readings = [
    (21.0, 35.9, 0),
    (23.0, 36.2, 0),
    (22.7, 36.1, 0),
    (22.4, 36.0, 0),
    (22.5, 36.0, 0),
    (22.8, 36.5, 1),
    (22.8, 36.3, 1),
    (22.7, 36.2, 3),
    (22.4, 36.0, 7),
    (22.7, 36.0, 9),
    (23.3, 36.9, 18),
    (23.1, 36.6, 22),
    (22.7, 36.5, 26),
];

/// Seconds, room, temp, hum and co.
pub type Row = (i64, &'static str, f64, f64, i64);

/// The rows in the order of the files.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (hour, (living, kitchen)) in LIVING_ROOM.iter().zip(&KITCHEN).enumerate() {
        let time = START + 3600 * hour as i64;
        for (room, (temp, hum, co)) in [("Living Room", living), ("Kitchen", kitchen)] {
            rows.push((time, room, *temp, *hum, *co));
        }
    }
    rows
}

/// The line of a row, with its time in seconds.
pub fn line((time, room, temp, hum, co): Row) -> String {
    format!("home,room={} temp={temp:?},hum={hum:?},co={co}i {time}", room.replace(' ', "\\ "))
}

/// The lines of all rows.
pub fn lines() -> Vec<String> {
    rows().into_iter().map(line).collect()
}
