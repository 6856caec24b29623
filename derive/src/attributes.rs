//! `#[influx(…)]` on the struct and on its fields.

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Error, LitStr, Path, Result};

/// What stands on the struct.
#[derive(Default)]
pub(crate) struct OfStruct {
    pub(crate) measurement: Option<LitStr>,
    pub(crate) krate: Option<Path>,
}

/// What stands on a field of the struct.
#[derive(Default)]
pub(crate) struct OfField {
    pub(crate) role: Option<(Role, Span)>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) unit: Option<(Unit, Span)>,
    pub(crate) display: Option<Span>,
}

/// What a field of the struct is in a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    Tag,
    Field,
    Time,
    Measurement,
    Skip,
}

/// The unit of a time that is an integer.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    Seconds,
    Millis,
    Micros,
    Nanos,
}

impl OfStruct {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut all = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("influx")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("measurement") {
                    set(&mut all.measurement, meta.value()?.parse()?, &meta)
                } else if meta.path.is_ident("crate") {
                    set(&mut all.krate, meta.value()?.parse()?, &meta)
                } else {
                    Err(meta.error("a struct has `measurement = \"…\"` and `crate = path`"))
                }
            })?;
        }
        Ok(all)
    }
}

impl OfField {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut all = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("influx")) {
            attribute.parse_nested_meta(|meta| all.take(&meta))?;
        }
        all.check()?;
        Ok(all)
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let span = meta.path.get_ident().map_or_else(Span::call_site, syn::Ident::span);
        if let Some(role) = Role::of(&meta.path) {
            if self.role.is_some() {
                return Err(meta.error(
                    "a field of a struct is only one of tag, field, time, measurement and skip",
                ));
            }
            self.role = Some((role, span));
            return Ok(());
        }
        if meta.path.is_ident("rename") {
            return set(&mut self.rename, meta.value()?.parse()?, meta);
        }
        if meta.path.is_ident("unit") {
            let unit: LitStr = meta.value()?.parse()?;
            let known = Unit::of(&unit.value());
            let known =
                known.ok_or_else(|| Error::new(unit.span(), "a unit is s, ms, us or ns"))?;
            return set(&mut self.unit, (known, span), meta);
        }
        if meta.path.is_ident("display") {
            return set(&mut self.display, span, meta);
        }
        Err(meta.error(
            "a field of a struct has `tag`, `field`, `time`, `measurement`, `skip`, `rename = \"…\"`, `unit = \"…\"` and \
             `display`",
        ))
    }

    /// Refuses what says nothing of this role.
    fn check(&self) -> Result<()> {
        let role = self.role.map_or(Role::Field, |(role, _)| role);
        match (self, role) {
            (
                Self { unit: Some((_, span)), .. },
                Role::Tag | Role::Field | Role::Measurement | Role::Skip,
            ) => Err(Error::new(*span, "only a time has a unit: #[influx(time, unit = \"…\")]")),
            (
                Self { display: Some(span), .. },
                Role::Field | Role::Time | Role::Measurement | Role::Skip,
            ) => Err(Error::new(
                *span,
                "only a tag is written by its `Display`: #[influx(tag, display)]",
            )),
            (Self { rename: Some(name), .. }, Role::Time | Role::Measurement | Role::Skip) => {
                Err(Error::new(name.span(), "only tags and fields have a name in a line"))
            }
            _ => Ok(()),
        }
    }
}

impl Role {
    fn of(path: &Path) -> Option<Self> {
        let known = [
            ("tag", Self::Tag),
            ("field", Self::Field),
            ("time", Self::Time),
            ("measurement", Self::Measurement),
            ("skip", Self::Skip),
        ];
        known.into_iter().find_map(|(name, role)| path.is_ident(name).then_some(role))
    }
}

impl Unit {
    fn of(name: &str) -> Option<Self> {
        match name {
            "s" => Some(Self::Seconds),
            "ms" => Some(Self::Millis),
            "us" => Some(Self::Micros),
            "ns" => Some(Self::Nanos),
            _ => None,
        }
    }

    /// The function of `Timestamp` that takes it.
    pub(crate) fn constructor(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Millis => "millis",
            Self::Micros => "micros",
            Self::Nanos => "nanos",
        }
    }
}

fn set<T>(place: &mut Option<T>, value: T, meta: &ParseNestedMeta<'_>) -> Result<()> {
    if place.replace(value).is_some() {
        return Err(meta.error("this is there twice"));
    }
    Ok(())
}
