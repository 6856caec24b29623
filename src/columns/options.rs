use crate::{Precision, Timestamp};

/// What the caller says about the columns of a table, or about the keys of items.
#[derive(Clone, Debug, Default)]
pub(crate) struct LayoutOptions {
    pub(crate) measurement: Option<String>,
    pub(crate) measurement_column: Option<String>,
    pub(crate) tags: Vec<String>,
    /// The only columns that are fields; all that are nothing else if there is no list.
    pub(crate) fields: Option<Vec<String>>,
    /// The columns that are left out.
    pub(crate) exclude: Vec<String>,
    /// The names of columns in the table, and those that they go by everywhere else.
    pub(crate) renames: Vec<(String, String)>,
    pub(crate) timestamp_column: Option<String>,
    /// The unit of integers in the timestamp column; that of the write if there is none.
    pub(crate) date_unit: Option<Precision>,
    /// Whether binary values are UTF-8 that was not called so.
    pub(crate) binary_as_text: bool,
    /// The time of rows that have none.
    pub(crate) default_time: Option<Timestamp>,
    /// Whether a table without the timestamp column is refused even if the caller named none.
    pub(crate) needs_time: bool,
}

impl LayoutOptions {
    const DEFAULT_TIME: &'static str = "time";

    /// The columns that name the measurement if nothing else does, the first one winning.
    pub(crate) const MEASUREMENTS: [&'static str; 2] = ["measurement", "iox::measurement"];

    /// The column of timestamps: the caller's, or else `time`.
    pub(crate) fn time(&self) -> &str {
        self.timestamp_column.as_deref().unwrap_or(Self::DEFAULT_TIME)
    }

    /// The name that a column of the table goes by.
    #[inline]
    pub(crate) fn new_name<'a>(&'a self, name: &'a str) -> &'a str {
        let mut renames = self.renames.iter();
        renames.find(|(from, _)| from == name).map_or(name, |(_, to)| to)
    }

    /// Whether the caller wants nothing of the column that goes by this name.
    #[inline]
    pub(crate) fn is_excluded(&self, name: &str) -> bool {
        self.exclude.iter().any(|excluded| excluded == name)
    }

    /// Whether the column can be a field, if it is nothing else.
    #[inline]
    pub(crate) fn can_be_field(&self, name: &str) -> bool {
        self.fields.as_ref().is_none_or(|fields| fields.iter().any(|field| field == name))
    }

    /// An excluded column that another option names, and what that makes of it.
    pub(crate) fn contradiction(&self) -> Option<(&str, &'static str)> {
        let measurement = self.measurement_column.iter().map(|name| (name, "the measurement"));
        let time = self.timestamp_column.iter().map(|name| (name, "the timestamp"));
        let tags = self.tags.iter().map(|name| (name, "a tag"));
        let fields = self.fields.iter().flatten().map(|name| (name, "a field"));
        let mut named = measurement.chain(time).chain(tags).chain(fields);
        let (name, what) = named.find(|(name, _)| self.is_excluded(name))?;
        Some((name, what))
    }
}

/// The methods that say what the columns of a table are, for a builder that keeps [`LayoutOptions`] at this place.
///
/// `$home` is how their examples begin: it makes `home`, a builder of one row, and has a function `written`, hidden, that
/// gives the lines of a builder. The row is the same everywhere, and is shown.
macro_rules! layout_options {
    ($($place:ident).+, $home:literal) => {
        /// The measurement of all rows. Without it, the columns `measurement` or `iox::measurement` name one for each
        /// row.
        ///
        /// ```
        #[doc = $home]
        /// let home = home.measurement("climate").fields(["temp"]);
        /// // written: climate temp=21.5 1
        /// # assert_eq!(written(home)?, "climate temp=21.5 1\n");
        /// # Ok::<_, Box<dyn std::error::Error>>(())
        /// ```
        pub fn measurement(mut self, name: impl Into<String>) -> Self {
            self.$($place).+.measurement = Some(name.into());
            self
        }

        /// The column that names the measurement of each row.
        ///
        /// ```
        #[doc = $home]
        /// let home = home.measurement_column("room").fields(["temp"]);
        /// // written: Kitchen temp=21.5 1
        /// # assert_eq!(written(home)?, "Kitchen temp=21.5 1\n");
        /// # Ok::<_, Box<dyn std::error::Error>>(())
        /// ```
        pub fn measurement_column(mut self, name: impl Into<String>) -> Self {
            self.$($place).+.measurement_column = Some(name.into());
            self
        }

        /// The columns that are tags. A second call replaces the list.
        ///
        /// ```
        #[doc = $home]
        /// let home = home.tags(["room"]).fields(["temp"]);
        /// // written: home,room=Kitchen temp=21.5 1
        /// # assert_eq!(written(home)?, "home,room=Kitchen temp=21.5 1\n");
        /// # Ok::<_, Box<dyn std::error::Error>>(())
        /// ```
        pub fn tags(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
            self.$($place).+.tags = names.into_iter().map(Into::into).collect();
            self
        }

        /// The only columns that are fields: what is neither in this list nor a tag, the timestamp or the measurement is
        /// left out. Without it, every column that is nothing else is a field. A second call replaces the list.
        ///
        /// ```
        #[doc = $home]
        /// let home = home.fields(["temp"]);
        /// // written: home temp=21.5 1
        /// # assert_eq!(written(home)?, "home temp=21.5 1\n");
        /// # Ok::<_, Box<dyn std::error::Error>>(())
        /// ```
        pub fn fields(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
            self.$($place).+.fields = Some(names.into_iter().map(Into::into).collect());
            self
        }

        /// The columns that are left out, as if they were not there. The name of a column that has none is `""`. A
        /// second call replaces the list.
        ///
        /// ```
        #[doc = $home]
        /// let home = home.exclude(["room", "until"]);
        /// // written: home temp=21.5 1
        /// # assert_eq!(written(home)?, "home temp=21.5 1\n");
        /// # Ok::<_, Box<dyn std::error::Error>>(())
        /// ```
        pub fn exclude(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
            self.$($place).+.exclude = names.into_iter().map(Into::into).collect();
            self
        }

        /// Lets the column `from` go by the name `to`, which is what is written, and what every other option calls it:
        /// `.rename("t", "temp").fields(["temp"])`. The name of a column that has none is `""`. Each call adds a name;
        /// all are given at once, so that two columns can change places.
        ///
        /// ```
        #[doc = $home]
        /// let home = home.rename("temp", "celsius").fields(["celsius"]);
        /// // written: home celsius=21.5 1
        /// # assert_eq!(written(home)?, "home celsius=21.5 1\n");
        /// # Ok::<_, Box<dyn std::error::Error>>(())
        /// ```
        pub fn rename(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
            let (from, to) = (from.into(), to.into());
            self.$($place).+.renames.retain(|(earlier, _)| *earlier != from);
            self.$($place).+.renames.push((from, to));
            self
        }

        /// Takes binary values for text in UTF-8, as Impala, Hive and others write it without saying so. A value that
        /// is not UTF-8 is an error. Without it, a column of binary values is an error unless it is left out.
        ///
        /// ```
        #[doc = $home]
        /// let home = home.fields(["room"]).binary_as_text(true);
        /// // written, though `room` is binary: home room="Kitchen" 1
        /// # Ok::<_, Box<dyn std::error::Error>>(())
        /// ```
        pub fn binary_as_text(mut self, as_text: bool) -> Self {
            self.$($place).+.binary_as_text = as_text;
            self
        }

        /// The column of timestamps, `time` if this is not called.
        ///
        /// ```
        #[doc = $home]
        /// let home = home.timestamp_column("until").fields(["temp"]);
        /// // written: home temp=21.5 2
        /// # assert_eq!(written(home)?, "home temp=21.5 2\n");
        /// # Ok::<_, Box<dyn std::error::Error>>(())
        /// ```
        pub fn timestamp_column(mut self, name: impl Into<String>) -> Self {
            self.$($place).+.timestamp_column = Some(name.into());
            self
        }

        /// The unit of integers in the timestamp column; the precision of the write if this is not called.
        ///
        /// ```
        #[doc = $home]
        /// let home = home.date_unit(Precision::Second).fields(["temp"]);
        /// // written: home temp=21.5 1000000000
        /// # assert_eq!(written(home)?, "home temp=21.5 1000000000\n");
        /// # Ok::<_, Box<dyn std::error::Error>>(())
        /// ```
        pub fn date_unit(mut self, unit: crate::Precision) -> Self {
            self.$($place).+.date_unit = Some(unit);
            self
        }
    };
}

pub(crate) use layout_options;
