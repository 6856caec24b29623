/// What can be the value of a tag: text, or an [`Option`] of it.
///
/// Everything that is `AsRef<str>` is text: `&str`, `String`, `Cow<str>`, `Box<str>`, `Arc<str>`, and types of your own.
/// `None` is no value, as the empty text is.
///
/// ```
/// use influxdb3_blocking::Point;
///
/// let floor: Option<String> = None;
/// let point = Point::new("home")
///     .tag("room", "Kitchen")
///     .tag("floor", &floor)
///     .tag("site", Some("lab"));
/// let tags: Vec<_> = point.tags().collect();
/// assert_eq!(tags, [("room", "Kitchen"), ("site", "lab")]);
/// ```
///
/// `K` distinguishes texts and options of them; it is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the value of a tag",
    label = "not a text",
    note = "a tag is a text, or an `Option` of one: make a text of it, for example with `.to_string()`, or write it as a field"
)]
pub trait TagValue<K = Required> {
    /// The text, if there is one.
    ///
    /// ```
    /// use influxdb3_blocking::TagValue;
    ///
    /// fn shown<K>(value: impl TagValue<K>) -> String {
    ///     value.as_text().unwrap_or("-").to_owned()
    /// }
    /// assert_eq!(shown("Kitchen"), "Kitchen");
    /// assert_eq!(shown(None::<&str>), "-");
    /// ```
    fn as_text(&self) -> Option<&str>;
}

/// Marks a text. See [`TagValue`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Required;

/// Marks an `Option` of a text. See [`TagValue`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Optional;

impl<T: AsRef<str>> TagValue<Required> for T {
    #[inline]
    fn as_text(&self) -> Option<&str> {
        Some(self.as_ref())
    }
}

impl<T: AsRef<str>> TagValue<Optional> for Option<T> {
    #[inline]
    fn as_text(&self) -> Option<&str> {
        self.as_ref().map(AsRef::as_ref)
    }
}

impl<T: AsRef<str>> TagValue<Optional> for &Option<T> {
    #[inline]
    fn as_text(&self) -> Option<&str> {
        self.as_ref().map(AsRef::as_ref)
    }
}
