use std::fmt;

/// One line that the server did not store, and why.
///
/// Where the server names a line by its number, this also has the whole line as it was sent, and the place
/// of its record in the caller's input.
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// let lines = "home temp=21.5\nhome temp=hot";
/// if let Err(error) = client.write(lines).use_v2_api(false).send() {
///     for line in error.line_errors() {
///         let number = line.line_number().unwrap_or(0);
///         println!("line {number}, {:?}: {}", line.line(), line.message());
///     }
/// }
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LineError {
    line_number: Option<usize>,
    message: String,
    line: Option<String>,
    index: Option<usize>,
}

impl LineError {
    pub(crate) fn new(line_number: Option<usize>, message: String) -> Self {
        Self { line_number, message, line: None, index: None }
    }

    pub(crate) fn with_line(mut self, line: Option<String>) -> Self {
        self.line = line;
        self
    }

    pub(crate) fn with_index(mut self, index: Option<usize>) -> Self {
        self.index = index;
        self
    }

    pub(crate) fn with_line_number(mut self, line_number: Option<usize>) -> Self {
        self.line_number = line_number;
        self
    }

    pub(super) fn message_mut(&mut self) -> &mut String {
        &mut self.message
    }

    /// The number of the line among the lines of the call, the first one being 1.
    ///
    /// Blank lines and comments in text do not count, as they are not sent.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let lines = "home temp=21.5\nhome temp=hot";
    /// if let Err(error) = client.write(lines).use_v2_api(false).send() {
    ///     for line in error.line_errors() {
    ///         println!("{:?}", line.line_number()); // Some(2)
    ///     }
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn line_number(&self) -> Option<usize> {
        self.line_number
    }

    /// The server's reason.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// if let Err(error) = client.write("home temp=hot").use_v2_api(false).send() {
    ///     for line in error.line_errors() {
    ///         eprintln!("refused: {}", line.message());
    ///     }
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The whole line, as it was sent. (The server's own copy is cut to 20 bytes.)
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let lines = "home temp=21.5\nhome temp=hot";
    /// if let Err(error) = client.write(lines).use_v2_api(false).send() {
    ///     for line in error.line_errors().iter().filter_map(|bad| bad.line()) {
    ///         println!("{line}"); // home temp=hot
    ///     }
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn line(&self) -> Option<&str> {
        self.line.as_deref()
    }

    /// The place of the record in the caller's input, the first one being 0: of a point in a slice, for
    /// example. A text is one record, however many lines it has. (Messages count records, rows and lines from 1.)
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// use influxdb3_blocking::Point;
    ///
    /// let points = [21.5, 22.0].map(|t| Point::new("home").field("temp", t));
    /// if let Err(error) = client.write(&points).use_v2_api(false).send() {
    ///     for index in error.line_errors().iter().filter_map(|bad| bad.index()) {
    ///         eprintln!("refused: {}", points[index]);
    ///     }
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn index(&self) -> Option<usize> {
        self.index
    }
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(number) = self.line_number {
            write!(f, "line {number}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(line) = &self.line {
            write!(f, " ({})", Shortened(line))?;
        }
        Ok(())
    }
}

/// A text on one line, cut where it gets long.
struct Shortened<'a>(&'a str);

impl fmt::Display for Shortened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, character) in self.0.chars().enumerate() {
            if count == SHOWN_CHARACTERS {
                return f.write_str("…");
            }
            if character.is_control() {
                write!(f, "{}", character.escape_default())?;
            } else {
                write!(f, "{character}")?;
            }
        }
        Ok(())
    }
}

const SHOWN_CHARACTERS: usize = 120;
