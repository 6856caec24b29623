//! What the fields of a struct become in a line.

use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Fields, GenericArgument, Ident, PathArguments, Result, Type};

use crate::attributes::{OfField, OfStruct, Role, Unit};
use crate::names;

/// The columns of a struct, checked.
pub(crate) struct Columns {
    pub(crate) measurement: Measurement,
    /// Sorted by key, as lines have them.
    pub(crate) tags: Vec<Column>,
    /// As they stand in the struct.
    pub(crate) fields: Vec<Column>,
    pub(crate) time: Option<(Member, Option<Unit>)>,
}

pub(crate) enum Measurement {
    Fixed(String),
    Member(Box<Member>),
}

/// A tag or a field.
pub(crate) struct Column {
    pub(crate) key: String,
    pub(crate) member: Member,
    /// Whether the text of a tag is what `Display` gives.
    pub(crate) is_displayed: bool,
}

/// A field of the struct.
pub(crate) struct Member {
    pub(crate) name: Ident,
    /// Its type, or what is in it if it is an `Option`.
    pub(crate) value: Type,
    pub(crate) is_option: bool,
}

impl Columns {
    pub(crate) fn of(input: &DeriveInput, attributes: &OfStruct) -> Result<Self> {
        let fixed = attributes.measurement.as_ref();
        let mut measurement = fixed.map(|name| Measurement::Fixed(name.value()));
        let (mut tags, mut fields, mut time) = (Vec::new(), Vec::new(), None);
        for field in named_fields(input)? {
            let attributes = OfField::parse(&field.attrs)?;
            let Some(name) = &field.ident else { continue }; // they are named
            let role = attributes.role.map_or(Role::Field, |(role, _)| role);
            let member = Member::of(name, &field.ty);
            match role {
                Role::Skip => {}
                Role::Time if time.is_some() => {
                    return Err(Error::new(name.span(), "a record has one time"));
                }
                Role::Time => time = Some((member, attributes.unit.map(|(unit, _)| unit))),
                Role::Measurement if measurement.is_some() => {
                    return Err(Error::new(
                        name.span(),
                        "a record has one measurement, and it is named already",
                    ));
                }
                Role::Measurement => measurement = Some(Measurement::Member(Box::new(member))),
                Role::Tag | Role::Field => {
                    let (key, span) = match &attributes.rename {
                        Some(name) => (name.value(), name.span()),
                        None => (name.unraw().to_string(), name.span()),
                    };
                    if let Some(fault) = names::fault_of_key(&key) {
                        return Err(Error::new(span, format!("the name {key:?} {fault}")));
                    }
                    let is_taken =
                        tags.iter().chain(&fields).any(|other: &Column| other.key == key);
                    if is_taken {
                        return Err(Error::new(span, format!("two columns have the name {key:?}")));
                    }
                    let is_displayed = attributes.display.is_some() || is_displayed(&member.value);
                    let column = Column { key, member, is_displayed };
                    if role == Role::Tag { tags.push(column) } else { fields.push(column) }
                }
            }
        }
        if fields.is_empty() {
            return Err(Error::new(
                input.ident.span(),
                "no field of the struct is a field of a line, and a line has at least one",
            ));
        }
        tags.sort_by(|a, b| a.key.cmp(&b.key));
        let measurement = measurement.unwrap_or_else(|| {
            Measurement::Fixed(names::snake_case(&input.ident.unraw().to_string()))
        });
        if let Measurement::Fixed(name) = &measurement
            && let Some(fault) = names::fault_of_measurement(name)
        {
            let span = attributes.measurement.as_ref().map_or(input.ident.span(), Spanned::span);
            return Err(Error::new(span, format!("the measurement {name:?} {fault}")));
        }
        Ok(Self { measurement, tags, fields, time })
    }
}

fn named_fields(input: &DeriveInput) -> Result<impl Iterator<Item = &syn::Field>> {
    let what = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Ok(fields.named.iter()),
            _ => "a struct whose fields have no names",
        },
        Data::Enum(_) => "an enum",
        _ => "a union",
    };
    Err(Error::new(
        input.ident.span(),
        format!(
            "a record is a struct whose fields have names, not {what}: implement `Record` by hand"
        ),
    ))
}

impl Member {
    fn of(name: &Ident, of_type: &Type) -> Self {
        let inside = inside_of_option(of_type);
        Self {
            name: name.clone(),
            value: inside.unwrap_or(of_type).clone(),
            is_option: inside.is_some(),
        }
    }
}

/// The `T` of an `Option<T>`, by its name: a macro knows no types.
fn inside_of_option(of_type: &Type) -> Option<&Type> {
    let Type::Path(path) = of_type else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match (last.ident == "Option", arguments.args.first()?) {
        (true, GenericArgument::Type(inside)) => Some(inside),
        _ => None,
    }
}

/// Whether a tag of this type is written by its `Display` without being asked: a number without decimals, a boolean or a
/// character.
fn is_displayed(of_type: &Type) -> bool {
    const KNOWN: [&str; 14] = [
        "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize",
        "bool", "char",
    ];
    let Type::Path(path) = of_type else { return false };
    path.path.get_ident().is_some_and(|name| KNOWN.iter().any(|known| name == known))
}
