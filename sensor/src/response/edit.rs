//! One setting in the text of a configuration file, everything else left as it is.
const DEPTH_MAX: usize = 64;

/// The text with the setting, or why this file is not changed by a machine.
pub fn set(text: &str, format: &str, key: &str, value: &str) -> Result<String, String> {
    if value.is_empty() || value.contains(['\n', '\r', '\0']) || key.is_empty() || key.contains(char::is_whitespace) {
        return Err("the setting is not one line".into());
    }
    match format {
        "sshd" => Ok(set_sshd(text, key, value)),
        "json" => set_json(text, key, value),
        "yaml" => set_yaml(text, key, value),
        _ => Err(format!("this sensor cannot write `{format}`")),
    }
}

/// sshd_config(5): the first value counts, so that it stands before every Include and Match.
fn set_sshd(text: &str, key: &str, value: &str) -> String {
    let first = |line: &str| line.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let end = lines.iter().position(|line| ["include", "match"].contains(&first(line).as_str())).unwrap_or(lines.len());
    let wanted = format!("{key} {value}\n");
    match lines[..end].iter().position(|line| first(line) == key.to_ascii_lowercase()) {
        Some(at) => lines[at] = &wanted,
        None => lines.insert(0, &wanted),
    }
    lines.concat()
}

/// Where a member is in an object that begins at `open`, or where one can be put.
enum Place {
    Value(usize, usize),
    Insert { at: usize, is_empty: bool },
}

fn skip_blank(text: &[u8], mut at: usize) -> usize {
    while text.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

/// The end of the value that begins at `at`, in a text that was found to be JSON.
fn end_of_value(text: &[u8], at: usize) -> usize {
    let (mut depth, mut quoted, mut place) = (0usize, false, at);
    while let Some(byte) = text.get(place) {
        match (quoted, byte) {
            (true, b'\\') => place += 1,
            (_, b'"') => {
                quoted = !quoted;
                if !quoted && depth == 0 {
                    return place + 1;
                }
            }
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') if depth <= 1 => return if depth == 1 { place + 1 } else { place },
            (false, b'}' | b']') => depth -= 1,
            (false, b',' | b' ' | b'\n' | b'\r' | b'\t') if depth == 0 => return place,
            _ => {}
        }
        place += 1;
    }
    place.min(text.len())
}

fn member(text: &[u8], open: usize, key: &str) -> Place {
    let start = skip_blank(text, open + 1);
    let mut at = start;
    while text.get(at) == Some(&b'"') {
        let name_end = end_of_value(text, at);
        let name = serde_json::from_slice::<String>(&text[at..name_end]).unwrap_or_default();
        let value = skip_blank(text, skip_blank(text, name_end) + 1);
        let end = end_of_value(text, value);
        if name == key {
            return Place::Value(value, end);
        }
        at = skip_blank(text, end);
        if text.get(at) == Some(&b',') {
            at = skip_blank(text, at + 1);
        }
    }
    Place::Insert { at: open + 1, is_empty: text.get(start) == Some(&b'}') }
}

fn set_json(text: &str, key: &str, value: &str) -> Result<String, String> {
    let text = if text.trim().is_empty() { "{}\n" } else { text };
    let parsed: serde_json::Value = serde_json::from_str(text).map_err(|error| format!("the file is no JSON: {error}"))?;
    serde_json::from_str::<serde_json::Value>(value).map_err(|error| format!("the value is no JSON: {error}"))?;
    if !parsed.is_object() {
        return Err("the file holds no object".into());
    }
    let bytes = text.as_bytes();
    let mut open = skip_blank(bytes, 0);
    let keys: Vec<&str> = key.split('.').collect();
    if keys.len() > DEPTH_MAX {
        return Err("the key is too deep".into());
    }
    for (depth, name) in keys.iter().enumerate() {
        let is_last = depth + 1 == keys.len();
        match member(bytes, open, name) {
            Place::Value(from, to) if is_last => return checked(format!("{}{value}{}", &text[..from], &text[to..])),
            Place::Value(from, _) if bytes.get(from) == Some(&b'{') => open = from,
            Place::Value(..) => return Err(format!("{name} is no object")),
            Place::Insert { at, is_empty } => {
                let rest = keys[depth + 1..].iter().rev().fold(value.to_string(), |inner, name| format!("{{{}: {inner}}}", quoted(name)));
                let gap = "  ".repeat(depth + 1);
                let tail = if is_empty { format!("\n{}", "  ".repeat(depth)) } else { ",".into() };
                let after = if is_empty { text[at..].trim_start() } else { &text[at..] };
                return checked(format!("{}\n{gap}{}: {rest}{tail}{after}", &text[..at], quoted(name)));
            }
        }
    }
    Err("the key is empty".into())
}

fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

fn checked(text: String) -> Result<String, String> {
    serde_json::from_str::<serde_json::Value>(&text).map_err(|error| format!("the file would be no JSON any more: {error}"))?;
    Ok(text)
}

/// Block mappings of one document, as kubelet's configuration is written; anything else is left to people.
fn set_yaml(text: &str, key: &str, value: &str) -> Result<String, String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let odd = |line: &&str| line.contains('\t') || line.trim_start().starts_with(['&', '*', '?', '!', '%']) || line.contains("<<:");
    if lines.iter().any(odd) || lines.iter().skip(1).any(|line| line.starts_with("---")) {
        return Err("the file uses more of YAML than is changed by a machine".into());
    }
    let keys: Vec<&str> = key.split('.').collect();
    let (mut from, mut to, mut indent) = (0, lines.len(), 0);
    for (depth, name) in keys.iter().enumerate() {
        let is_last = depth + 1 == keys.len();
        let found = (from..to).find(|at| indent_of(lines[*at]) == Some(indent) && name_of(lines[*at]) == Some(name));
        let Some(at) = found else { return Ok(insert_yaml(&lines, to, indent, &keys[depth..], value)) };
        let end = (at + 1..to)
            .find(|next| indent_of(lines[*next]).is_some_and(|own| own <= indent && !lines[*next].trim_start().starts_with("- ")))
            .unwrap_or(to);
        let own = lines[at].split_once(':').map_or("", |(_, own)| own.trim());
        if is_last {
            if own.is_empty() && (at + 1..end).any(|inner| indent_of(lines[inner]).is_some()) {
                return Err(format!("{name} holds more than one value"));
            }
            let line = format!("{}{name}: {value}\n", " ".repeat(indent));
            return Ok([lines[..at].concat(), line, lines[at + 1..].concat()].concat());
        }
        if own == "{}" || own == "null" {
            let head = format!("{}{name}:\n", " ".repeat(indent));
            let inner = nested(indent + 2, &keys[depth + 1..], value);
            return Ok([lines[..at].concat(), head, inner, lines[at + 1..].concat()].concat());
        }
        if !own.is_empty() && !own.starts_with('#') {
            return Err(format!("{name} is not written as a block"));
        }
        (from, to) = (at + 1, end);
        indent = (from..to).find_map(|inner| indent_of(lines[inner])).filter(|inner| *inner > indent).unwrap_or(indent + 2);
    }
    Err("the key is empty".into())
}

/// Blanks before a line that says something.
fn indent_of(line: &str) -> Option<usize> {
    let bare = line.trim_start_matches(' ');
    (!bare.trim().is_empty() && !bare.starts_with('#') && !bare.starts_with("---")).then(|| line.len() - bare.len())
}

fn name_of(line: &str) -> Option<&str> {
    line.split_once(':').map(|(name, _)| name.trim().trim_matches(['"', '\'']))
}

fn nested(indent: usize, keys: &[&str], value: &str) -> String {
    let line = |(depth, name): (usize, &&str)| {
        let blanks = " ".repeat(indent + depth * 2);
        if depth + 1 == keys.len() { format!("{blanks}{name}: {value}\n") } else { format!("{blanks}{name}:\n") }
    };
    keys.iter().enumerate().map(line).collect()
}

fn insert_yaml(lines: &[&str], at: usize, indent: usize, keys: &[&str], value: &str) -> String {
    let before = lines[..at].concat();
    let gap = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    [&before, gap, &nested(indent, keys, value), &lines[at..].concat()].concat()
}

/// What changes: lines that go, lines that come.
pub fn difference(before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let end = old[start..].iter().rev().zip(new[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    let part =
        |lines: &[&str], sign: char| lines[start..lines.len() - end].iter().map(|line| format!("{sign}{line}\n")).collect::<String>();
    format!("@@ line {} @@\n{}{}", start + 1, part(&old, '-'), part(&new, '+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sshds_first_value_is_the_one_that_counts() {
        assert_eq!(
            set("Port 22\npermitrootlogin yes\nMatch User a\n", "sshd", "PermitRootLogin", "no").as_deref(),
            Ok("Port 22\nPermitRootLogin no\nMatch User a\n")
        );
        assert_eq!(
            set("Include x\nPermitRootLogin yes\n", "sshd", "PermitRootLogin", "no").as_deref(),
            Ok("PermitRootLogin no\nInclude x\nPermitRootLogin yes\n")
        );
        assert_eq!(set("", "sshd", "A", "b\nPermitRootLogin yes"), Err("the setting is not one line".into()));
    }

    #[test]
    fn json_keeps_its_form_around_the_setting() {
        assert_eq!(set("", "json", "icc", "false").as_deref(), Ok("{\n  \"icc\": false\n}\n"));
        assert_eq!(
            set("{\n  \"a\": {\"icc\": 1},\n  \"icc\" : true, \"b\":[1,{}]}\n", "json", "icc", "false").as_deref(),
            Ok("{\n  \"a\": {\"icc\": 1},\n  \"icc\" : false, \"b\":[1,{}]}\n")
        );
        assert_eq!(
            set("{\n  \"a\": \"x}\\\"\"\n}\n", "json", "icc", "false").as_deref(),
            Ok("{\n  \"icc\": false,\n  \"a\": \"x}\\\"\"\n}\n")
        );
        let nested = set("{\"log-opts\": {\"max-size\": \"1m\"}}", "json", "log-opts.max-file", "\"3\"").expect("set");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&nested).expect("json")["log-opts"]["max-file"], "3");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&set("{}", "json", "a.b.c", "1").expect("set")).expect("json")["a"]["b"]["c"],
            1
        );
        for bad in ["{", "[]", "{\"icc\": 1"] {
            assert!(set(bad, "json", "icc", "false").is_err());
        }
        assert!(set("{\"a\": 1}", "json", "a.b", "1").is_err());
    }

    #[test]
    fn yaml_keeps_its_form_around_the_setting() {
        let text = "apiVersion: x\nauthentication:\n  anonymous:\n    enabled: true\n  webhook:\n    enabled: true\nreadOnlyPort: 10255\n";
        assert_eq!(
            set(text, "yaml", "authentication.anonymous.enabled", "false").expect("set"),
            text.replacen("enabled: true", "enabled: false", 1)
        );
        assert_eq!(set(text, "yaml", "readOnlyPort", "0").expect("set"), text.replace("10255", "0"));
        assert_eq!(set(text, "yaml", "protectKernelDefaults", "true").expect("set"), format!("{text}protectKernelDefaults: true\n"));
        assert_eq!(set("a:\n  b:\n    c: 1\nd: 2\n", "yaml", "a.e.f", "3").expect("set"), "a:\n  b:\n    c: 1\n  e:\n    f: 3\nd: 2\n");
        assert_eq!(set("authorization: {}\n", "yaml", "authorization.mode", "Webhook").expect("set"), "authorization:\n  mode: Webhook\n");
        for odd in ["a: 1\n---\nb: 2\n", "\ta: 1\n", "a: {b: 1}\n", "a: &x\n  b: 1\n"] {
            assert!(set(odd, "yaml", "a.b", "1").is_err(), "{odd}");
        }
        assert!(set("a:\n  b: 1\n", "yaml", "a", "1").is_err());
    }

    #[test]
    fn a_difference_shows_the_lines_that_change() {
        assert_eq!(difference("a\nb\nc\n", "a\nx\nc\n"), "@@ line 2 @@\n-b\n+x\n");
        assert_eq!(difference("", "x\n"), "@@ line 1 @@\n+x\n");
    }
}
