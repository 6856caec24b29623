//! What is to be seen while a write is under way: a bar on a terminal, plain lines elsewhere.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::amounts;
use crate::terminal;

/// How far a write is, for people.
#[derive(Debug)]
pub(crate) struct Watch {
    bar: Option<ProgressBar>,
    total: Option<u64>,
    is_quiet: bool,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Bytes of the inputs before this one.
    bytes_before: u64,
    /// Bytes of all inputs that are read.
    bytes: u64,
    lines: u64,
    retries: u64,
    /// When a plain line was printed last.
    told: Instant,
}

impl Watch {
    /// `total` is how many bytes there are in all inputs, if that is known.
    pub(crate) fn new(total: Option<u64>, is_quiet: bool) -> Self {
        let bar = (!is_quiet && terminal::can_animate()).then(|| {
            let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(10));
            let template = match total {
                Some(_) => "{spinner} {decimal_bytes}/{decimal_total_bytes} {wide_bar} {percent:>3} %  {msg}",
                None => "{spinner} {decimal_bytes} read  {msg}",
            };
            // The templates are right: a test draws both.
            let style = ProgressStyle::with_template(template);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message("reading");
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        let now = Instant::now();
        let state = State { bytes_before: 0, bytes: 0, lines: 0, retries: 0, told: now };
        Self { bar, total, is_quiet, started: now, state: Mutex::new(state) }
    }

    /// Shows how many bytes of this input are read, and how many lines of all inputs are written.
    pub(crate) fn update(&self, bytes: u64, total: u64, lines: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.lines = lines;
        let bytes = state.bytes_before + bytes;
        state.bytes = bytes;
        if let Some(bar) = &self.bar {
            bar.set_position(bytes);
            bar.set_message(self.message(&state));
        } else if !self.is_quiet && state.told.elapsed() >= BETWEEN_LINES {
            state.told = Instant::now();
            let message = self.message(&state);
            eprintln!(
                "influx3: {} of {} read, {message}",
                amounts::size(bytes),
                amounts::size(state.bytes_before + total)
            );
        }
    }

    /// An input of this many bytes is done.
    pub(crate) fn end_input(&self, bytes: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.bytes_before += bytes;
    }

    /// A request failed, and its lines are tried again.
    pub(crate) fn count_retry(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.retries += 1;
        if let Some(bar) = &self.bar {
            bar.set_message(self.message(&state));
        }
    }

    /// A line on standard error that the bar makes room for.
    pub(crate) fn tell(&self, text: &str) {
        if self.is_quiet {
            return;
        }
        let text = format!("influx3: {text}");
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// How long it will take, if it goes on as it began.
    fn left(&self, state: &State) -> Option<Duration> {
        let total = self.total.filter(|total| *total > state.bytes && state.bytes > 0)?;
        let part = (total - state.bytes) as f64 / state.bytes as f64;
        let left = Duration::try_from_secs_f64(self.started.elapsed().as_secs_f64() * part);
        // Not to a hundredth.
        left.ok().map(|left| Duration::from_secs(left.as_secs() + 1))
    }

    fn message(&self, state: &State) -> String {
        let rate = amounts::rate(state.lines, self.started.elapsed());
        let mut text =
            format!("{}, {}/s", amounts::counted(state.lines, "line"), amounts::count(rate));
        if state.retries > 0 {
            text.push_str(&format!(", {} retried", amounts::count(state.retries)));
        }
        if let Some(left) = self.left(state) {
            text.push_str(&format!(", {} left", amounts::time(left)));
        }
        text
    }
}

/// How often a plain line is printed.
const BETWEEN_LINES: Duration = Duration::from_secs(10);
