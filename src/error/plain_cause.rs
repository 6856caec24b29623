use std::error::Error as StdError;
use std::fmt;

/// What is left of the cause of an error when its text was changed: the text, and its own causes in the same way.
pub(super) struct PlainCause {
    text: String,
    cause: Option<Box<Self>>,
}

impl PlainCause {
    /// The cause with its own causes, all texts changed; `None` if that changes nothing, neither of what `Display` shows nor
    /// of what `Debug` does.
    pub(super) fn changed(
        cause: &(dyn StdError + 'static),
        change: impl Fn(&mut String),
    ) -> Option<Self> {
        let changed = |text: &String| {
            let mut changed = text.clone();
            change(&mut changed);
            changed
        };
        let mut texts = vec![cause.to_string()];
        let mut next = cause.source();
        while let Some(cause) = next {
            texts.push(cause.to_string());
            next = cause.source();
        }
        let plain: Vec<String> = texts.iter().map(changed).collect();
        let debug = format!("{cause:?}");
        if plain == texts && changed(&debug) == debug {
            return None;
        }
        plain.into_iter().rfold(None, |cause, text| Some(Self { text, cause: cause.map(Box::new) }))
    }
}

impl fmt::Display for PlainCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for PlainCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)?;
        self.cause.as_ref().map_or(Ok(()), |cause| write!(f, ": {cause:?}"))
    }
}

impl StdError for PlainCause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}
