//! From the columns of a struct to the code that writes them.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    DeriveInput, GenericParam, Generics, Lifetime, LifetimeParam, Path, Result, parse_quote,
};

use crate::attributes::OfStruct;
use crate::columns::{Column, Columns, Measurement, Member};

/// The implementations of `Record` for a struct and for references to it.
pub(crate) fn record(input: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(input)?;
    let attributes = OfStruct::parse(&input.attrs)?;
    let columns = Columns::of(&input, &attributes)?;
    let krate = attributes.krate.unwrap_or_else(|| parse_quote!(::influxdb3_blocking));

    let name = &input.ident;
    let mut generics = input.generics.clone();
    add_bounds(&mut generics, &columns, &krate);
    let (own, types, bounds) = generics.split_for_impl();
    let mut borrowed = generics.clone();
    let lifetime = Lifetime::new("'__record", name.span());
    borrowed.params.insert(0, GenericParam::Lifetime(LifetimeParam::new(lifetime)));
    let (borrowed, ..) = borrowed.split_for_impl();

    let measurement = match &columns.measurement {
        Measurement::Fixed(name) => quote!(#name),
        Measurement::Member(member) => {
            let name = &member.name;
            quote_spanned!(member.value.span()=> &self.#name)
        }
    };
    let tags = columns.tags.iter().map(tag);
    let fields = columns.fields.iter().map(field);
    let time = columns.time.iter().map(|(member, unit)| {
        let time = match unit {
            Some(unit) => {
                let constructor = format_ident!("{}", unit.constructor());
                quote_spanned!(member.value.span()=>
                    #krate::Timestamp::#constructor(
                        ::core::convert::Into::<i64>::into(::core::clone::Clone::clone(time))
                    )
                )
            }
            None => quote_spanned!(member.value.span()=> ::core::clone::Clone::clone(time)),
        };
        let name = &member.name;
        let set = quote_spanned!(member.value.span()=> { point.set_time(#time); });
        if member.is_option {
            quote!(if let ::core::option::Option::Some(time) = &self.#name #set)
        } else {
            quote!({ let time = &self.#name; #set })
        }
    });
    Ok(quote! {
        #[automatically_derived]
        impl #borrowed #krate::Record for &'__record #name #types #bounds {
            fn encode(self, lines: &mut #krate::Lines<'_>) -> #krate::Result<()> {
                let mut point = #krate::Point::new(#measurement);
                #(#tags)*
                #(#fields)*
                #(#time)*
                #krate::Record::encode(&point, lines)
            }
        }

        #[automatically_derived]
        impl #own #krate::Record for #name #types #bounds {
            fn encode(self, lines: &mut #krate::Lines<'_>) -> #krate::Result<()> {
                #krate::Record::encode(&self, lines)
            }
        }
    })
}

fn tag(column: &Column) -> TokenStream {
    let Column { key, member, is_displayed } = column;
    let name = &member.name;
    let value = match (is_displayed, member.is_option) {
        (false, _) => quote!(&self.#name),
        (true, false) => quote!(::std::string::ToString::to_string(&self.#name)),
        (true, true) => quote! {
            ::core::option::Option::map(
                ::core::option::Option::as_ref(&self.#name),
                ::std::string::ToString::to_string,
            )
        },
    };
    quote_spanned!(member.value.span()=> point.set_tag(#key, #value);)
}

fn field(column: &Column) -> TokenStream {
    let Column { key, member, .. } = column;
    let name = &member.name;
    let value = if member.is_option {
        quote!(::core::option::Option::as_ref(&self.#name))
    } else {
        quote!(&self.#name)
    };
    quote_spanned!(member.value.span()=> point.set_field(#key, #value);)
}

/// What the types of the struct's members must be able to do, where they depend on its type parameters.
fn add_bounds(generics: &mut Generics, columns: &Columns, krate: &Path) {
    let parameters: Vec<String> =
        generics.type_params().map(|parameter| parameter.ident.to_string()).collect();
    let depends = |member: &Member| mentions(&member.value, &parameters);
    let mut bounds: Vec<syn::WherePredicate> = Vec::new();
    for column in columns.tags.iter().filter(|column| depends(&column.member)) {
        let value = &column.member.value;
        bounds.push(if column.is_displayed {
            parse_quote!(#value: ::core::fmt::Display)
        } else {
            parse_quote!(#value: ::core::convert::AsRef<str>)
        });
    }
    for column in columns.fields.iter().filter(|column| depends(&column.member)) {
        let value = &column.member.value;
        bounds.push(parse_quote! {
            for<'__value> &'__value #value: ::core::convert::Into<#krate::FieldValue<'__value>>
        });
    }
    if let Measurement::Member(member) = &columns.measurement
        && depends(member)
    {
        let value = &member.value;
        bounds.push(parse_quote!(#value: ::core::convert::AsRef<str>));
    }
    if let Some((member, unit)) = columns.time.as_ref().filter(|(member, _)| depends(member)) {
        let value = &member.value;
        bounds.push(match unit {
            Some(_) => {
                parse_quote!(#value: ::core::clone::Clone + ::core::convert::Into<i64>)
            }
            None => parse_quote! {
                #value: ::core::clone::Clone + ::core::convert::Into<#krate::Timestamp>
            },
        });
    }
    if !bounds.is_empty() {
        generics.make_where_clause().predicates.extend(bounds);
    }
}

/// Whether one of these names stands in a type.
fn mentions(of_type: &syn::Type, names: &[String]) -> bool {
    fn is_in(tokens: TokenStream, names: &[String]) -> bool {
        tokens.into_iter().any(|token| match token {
            proc_macro2::TokenTree::Ident(ident) => names.iter().any(|name| ident == name),
            proc_macro2::TokenTree::Group(group) => is_in(group.stream(), names),
            _ => false,
        })
    }
    is_in(quote!(#of_type), names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(input: TokenStream) -> String {
        record(input).expect_err("this is refused").to_string()
    }

    #[test]
    fn what_cannot_be_a_record_is_told_by_what_is_wrong_and_what_to_do() {
        for (input, expected) in [
            (
                quote!(
                    enum E {
                        A,
                    }
                ),
                "not an enum: implement `Record` by hand",
            ),
            (
                quote!(
                    struct S(f64);
                ),
                "not a struct whose fields have no names",
            ),
            (quote!(union U { a: u8 }), "not a union"),
            (
                quote!(
                    struct S {}
                ),
                "a line has at least one",
            ),
            (
                quote!(
                    struct S {
                        #[influx(tag)]
                        a: String,
                    }
                ),
                "a line has at least one",
            ),
            (
                quote!(
                    struct S {
                        a: f64,
                        #[influx(skip)]
                        b: f64,
                        time: i64,
                    }
                ),
                "mark the field with #[influx(time)]",
            ),
            (
                quote!(
                    struct S {
                        #[influx(rename = "")]
                        a: f64,
                    }
                ),
                "the name \"\" is empty",
            ),
            (
                quote!(
                    struct S {
                        #[influx(rename = "a\n")]
                        a: f64,
                    }
                ),
                "contains a control character",
            ),
            (
                quote!(
                    struct S {
                        #[influx(rename = "a\\")]
                        a: f64,
                    }
                ),
                "ends in a backslash",
            ),
            (
                quote!(
                    struct S {
                        #[influx(rename = "__chunk_order")]
                        a: f64,
                    }
                ),
                "is reserved by the server",
            ),
            (
                quote!(
                    struct S {
                        a: f64,
                        #[influx(rename = "a")]
                        b: f64,
                    }
                ),
                "two columns have the name \"a\"",
            ),
            (
                quote!(
                    struct S {
                        a: f64,
                        #[influx(tag, rename = "a")]
                        b: String,
                    }
                ),
                "two columns have the name \"a\"",
            ),
            (
                quote!(
                    #[influx(measurement = "#a")]
                    struct S {
                        a: f64,
                    }
                ),
                "begins with #",
            ),
            (
                quote!(
                    #[influx(measurement = "")]
                    struct S {
                        a: f64,
                    }
                ),
                "the measurement \"\" is empty",
            ),
            (
                quote!(
                    #[influx(measurement = "m")]
                    struct S {
                        #[influx(measurement)]
                        m: String,
                        a: f64,
                    }
                ),
                "one measurement",
            ),
            (
                quote!(
                    #[influx(tag)]
                    struct S {
                        a: f64,
                    }
                ),
                "a struct has `measurement = \"…\"`",
            ),
            (
                quote!(
                    #[influx(measurement = "a", measurement = "b")]
                    struct S {
                        a: f64,
                    }
                ),
                "twice",
            ),
            (
                quote!(
                    struct S {
                        #[influx(tag, field)]
                        a: f64,
                    }
                ),
                "only one of tag, field, time, measurement and skip",
            ),
            (
                quote!(
                    struct S {
                        #[influx(tags)]
                        a: f64,
                    }
                ),
                "a field of a struct has `tag`, `field`",
            ),
            (
                quote!(
                    struct S {
                        #[influx(unit = "s")]
                        a: f64,
                    }
                ),
                "only a time has a unit",
            ),
            (
                quote!(
                    struct S {
                        #[influx(time, unit = "h")]
                        t: i64,
                        a: f64,
                    }
                ),
                "a unit is s, ms, us or ns",
            ),
            (
                quote!(
                    struct S {
                        #[influx(display)]
                        a: f64,
                    }
                ),
                "only a tag is written by its `Display`",
            ),
            (
                quote!(
                    struct S {
                        #[influx(time, rename = "x")]
                        t: i64,
                        a: f64,
                    }
                ),
                "only tags and fields have a name",
            ),
            (
                quote!(
                    struct S {
                        #[influx(time)]
                        t: i64,
                        #[influx(time)]
                        u: i64,
                        a: f64,
                    }
                ),
                "a record has one time",
            ),
        ] {
            let message = refusal(input);
            assert!(message.contains(expected), "{message} / {expected}");
        }
    }

    #[test]
    fn tags_stand_sorted_in_the_code_before_the_fields() {
        let code = record(quote! {
            struct S { z: f64, #[influx(tag)] b: String, #[influx(tag)] a: Option<u8>, #[influx(time)] t: Timestamp }
        });
        let code = code.expect("this is a record").to_string();
        let place = |what: &str| code.find(what).unwrap_or_else(|| panic!("{what} in {code}"));
        let places = [
            place("Point :: new (\"s\")"),
            place("set_tag (\"a\""),
            place("set_tag (\"b\""),
            place("set_field (\"z\""),
            place("set_time"),
        ];
        assert!(places.is_sorted(), "{code}");
    }
}
