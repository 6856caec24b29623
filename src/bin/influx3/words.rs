//! The library's messages name its methods; here they are options.

/// A text of the library in the words of the command line.
pub(crate) fn of_here(text: &str) -> String {
    let text = text
        .replace("`client.tables()` has the names", "influx3 sql and \\d show the names")
        .replace(
            "of influxdb3-blocking, which is off: add it in Cargo.toml",
            "of influxdb3-blocking, which this influx3 was built without",
        )
        // There is no such option.
        .replace("raise it with max_message_size, or select less", "select less");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let end = rest.find(|char| !is_of_word(char)).unwrap_or(rest.len());
        if end == 0 {
            let next = rest.chars().next().map_or(1, char::len_utf8);
            out.push_str(rest.get(..next).unwrap_or_default());
            rest = rest.get(next..).unwrap_or_default();
            continue;
        }
        let (word, behind) = rest.split_at(end);
        rest = behind;
        let option = OPTIONS.iter().find(|(name, _)| *name == word);
        let argument = behind.strip_prefix('(').and_then(|inside| inside.split_once(')'));
        // A word that is English as well is a method if something is in parentheses behind it. One in quotes is a name
        // of the user's, and one before `::` one of the server's.
        let is_method = argument.is_some() || word.contains('_');
        let Some((_, option)) =
            option.filter(|_| is_method && !out.ends_with('"') && !behind.starts_with("::"))
        else {
            out.push_str(word);
            continue;
        };
        if out.ends_with('.') && argument.is_some() {
            out.pop();
        }
        out.push_str(option);
        if let Some((inside, behind)) = argument {
            let inside = inside.trim_start_matches(['[', 'b']).trim_end_matches(']');
            if !matches!(inside, "…" | "true" | "false") {
                out.push(' ');
                out.push_str(inside);
            }
            rest = behind;
        }
    }
    out
}

/// Without what the library says about going on, which is said with the name of the file here.
pub(crate) fn without_resume(text: &str) -> String {
    let Some(end) = text.find(" lines of the file are settled: resume_from_line(") else {
        return text.to_owned();
    };
    let (before, behind) = text.split_at(end);
    let before = before.rsplit_once(" (").map_or(before, |(before, _)| before);
    let behind = behind.split_once(" goes on)").map_or("", |(_, behind)| behind);
    format!("{before}{behind}")
}

fn is_of_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}

const OPTIONS: [(&str, &str); 42] = [
    ("binary_as_text", "--binary-as-text"),
    ("client_cert", "--client-cert"),
    ("column_names", "--column-names"),
    ("column_type", "--column"),
    ("comment", "--comment"),
    ("connect_timeout", "INFLUX_CONNECT_TIMEOUT"),
    ("database", "--database"),
    ("date_unit", "--date-unit"),
    ("decimal_comma", "--decimal-comma"),
    ("default_time", "--default-time"),
    ("delimiter", "--delimiter"),
    ("exclude", "--exclude"),
    ("fields", "--field"),
    ("flatten", "--flatten"),
    ("format", "--format"),
    ("host", "--host"),
    ("infer_rows", "--infer-rows"),
    ("json_path", "--json-path"),
    ("max_retries", "--max-retries"),
    ("measurement", "--measurement"),
    ("measurement_column", "--measurement-column"),
    ("null_values", "--null"),
    ("over_http", "--over-http"),
    ("query_host", "--query-host"),
    ("query_timeout", "--timeout"),
    ("ragged_rows", "--ragged-rows"),
    ("reader_limit", "--memory-limit"),
    ("rename", "--rename"),
    ("skip_bad_rows", "--skip-bad-rows"),
    ("skip_lines", "--skip-lines"),
    ("tags", "--tag"),
    ("time_format", "--time-format"),
    ("timestamp_column", "--time-column"),
    ("tls_add_root_certs", "--tls-ca"),
    ("tls_native_roots", "--tls-native-roots"),
    ("tls_root_certs", "--tls-ca"),
    ("tls_server_name", "INFLUX_TLS_SERVER_NAME"),
    ("token", "--token-file"),
    ("trim", "--trim"),
    ("use_v2_api", "--v3"),
    ("write_host", "--write-host"),
    ("write_timeout", "--timeout"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_become_options_and_nothing_else_changes() {
        for (text, expected) in [
            ("leave it out with .exclude(…)", "leave it out with --exclude"),
            ("leave it out with .exclude([\"\"])", "leave it out with --exclude \"\""),
            ("raise reader_limit(…), or", "raise --memory-limit, or"),
            ("column_type means nothing for ORC", "--column means nothing for ORC"),
            ("With use_v2_api(false) the server", "With --v3 the server"),
            ("is .delimiter(b';') missing?", "is --delimiter ';' missing?"),
            ("say time_format(\"%Y\") for CSV", "say --time-format \"%Y\" for CSV"),
            ("got iox::column_type::field::float", "got iox::column_type::field::float"),
            ("the column \"date_unit\" is", "the column \"date_unit\" is"),
            ("the tags and fields of a format; 温度", "the tags and fields of a format; 温度"),
            (
                "zstd needs the feature `zstd` of influxdb3-blocking, which is off: add it in Cargo.toml",
                "zstd needs the feature `zstd` of influxdb3-blocking, which this influx3 was built without",
            ),
            ("(`client.tables()` has the names)", "(influx3 sql and \\d show the names)"),
            ("give its root with tls_root_certs (or", "give its root with --tls-ca (or"),
            ("within 10s (connect_timeout)", "within 10s (INFLUX_CONNECT_TIMEOUT)"),
            ("(.over_http(true) asks over HTTP/1.1)", "(--over-http asks over HTTP/1.1)"),
            ("name one with .query_host(…)", "name one with --query-host"),
            ("raise it with max_message_size, or select less", "select less"),
        ] {
            assert_eq!(of_here(text), expected);
        }
        let text =
            "x.csv: no (1) (5 lines of the file are settled: resume_from_line(5) goes on): why";
        assert_eq!(without_resume(text), "x.csv: no (1): why");
    }
}
