//! What leaves the node is configuration, not secrets: they are taken out where they are read.
const SECRET_WORDS: [&str; 10] =
    ["password", "passwd", "passphrase", "secret", "token", "apikey", "api_key", "api-key", "credential", "key-data"];
/// Names that are no part of others' names.
const SECRET_NAMES: [&str; 2] = ["auth", "authorization"];
const TAKEN_OUT: &str = "***";
/// Values that are settings and not secrets, whatever their names are.
const HARMLESS: [&str; 12] =
    ["yes", "no", "true", "false", "on", "off", "none", "without-password", "prohibit-password", "forced-commands-only", "webhook", "null"];

fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let own = name.trim().trim_matches(['"', '\'', '-', '+']);
    SECRET_WORDS.iter().any(|word| name.contains(word)) || SECRET_NAMES.contains(&own)
}

fn is_harmless(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'', ',', ';']);
    value.is_empty()
        || value.starts_with('/')
        || value.starts_with(['[', '{'])
        || value.parse::<f64>().is_ok()
        || HARMLESS.contains(&value.to_ascii_lowercase().as_str())
        || is_duration(value)
}

/// Such as 1h0m0s, which lifetimes of tokens are.
fn is_duration(value: &str) -> bool {
    value.starts_with(|first: char| first.is_ascii_digit())
        && value.len() < 16
        && value.chars().all(|one| one.is_ascii_digit() || "hms.".contains(one))
}

/// One file's text without secrets; `None` where it is one as a whole.
pub fn text(path: &str, content: &str) -> Option<String> {
    if content.contains("PRIVATE KEY-----") {
        return None;
    }
    // Their copies, too.
    if path.starts_with("/etc/shadow") || path.starts_with("/etc/gshadow") {
        return Some(content.lines().map(shadow_line).collect());
    }
    if path == "/etc/passwd" || path == "/etc/group" {
        return Some(content.lines().map(account_line).collect());
    }
    // PAM's first word is the kind of a rule, of which "password" is one.
    let spaces = !path.starts_with("/etc/pam.d/");
    Some(content.lines().map(|line| line_of(line, spaces) + "\n").collect())
}

/// shadow(5): of the second field only whether there is a password. An empty one lets everybody in; `!` and `*` let nobody.
fn shadow_line(line: &str) -> String {
    let mut fields: Vec<&str> = line.split(':').collect();
    if let Some(hash) = fields.get_mut(1) {
        *hash = match hash.bytes().next() {
            None => "",
            Some(b'!' | b'*') => "!",
            Some(_) => "x",
        };
    }
    fields.join(":") + "\n"
}

fn line_of(line: &str, spaces: bool) -> String {
    let line = without_user(line);
    let start = line.trim_start();
    if start.starts_with('#') {
        return String::new();
    }
    let (line, was_secret) = pairs_of(&line);
    if was_secret {
        return line;
    }
    let start = line.trim_start();
    if spaces
        && let Some((name, value)) = start.split_once([' ', '\t'])
        && !start.contains(['=', ':'])
        && names_a_secret(name)
        && !is_harmless(value)
    {
        // What somebody noted behind a setting is of no interest.
        return match value.split_once([' ', '\t']) {
            Some((first, note)) if note.trim_start().starts_with('#') && is_harmless(first) => format!("{name} {first}"),
            _ => format!("{name} {TAKEN_OUT}"),
        };
    }
    line
}

/// passwd(5), group(5): a hash in the second field is one of a password; names are names, whatever words they are made of.
fn account_line(line: &str) -> String {
    let mut fields: Vec<&str> = line.split(':').collect();
    if let Some(hash) = fields.get_mut(1)
        && !["", "x", "*", "!"].contains(hash)
    {
        *hash = TAKEN_OUT;
    }
    fields.join(":") + "\n"
}

/// The values of all names of a line, such as of JSON, without those that are secret.
fn pairs_of(line: &str) -> (String, bool) {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    let mut was_secret = false;
    while let Some(at) = rest.find(['=', ':']) {
        let (before, after) = rest.split_at(at + 1);
        let name = &before[..at];
        let name = name.rsplit(['{', ',', '[', ';']).next().unwrap_or(name);
        out.push_str(before);
        rest = after;
        if !names_a_secret(name) {
            continue;
        }
        let value = after.trim_start();
        let quote = value.chars().next().filter(|first| ['"', '\''].contains(first));
        let inner = quote.map(|quote| quoted(&value[1..], quote));
        if is_harmless(inner.unwrap_or_else(|| value.split([',', '}', ';']).next().unwrap_or(value))) {
            continue;
        }
        was_secret = true;
        // In its quotes, so that JSON stays JSON and the settings beside it can be read.
        match quote {
            Some(quote) => out.extend([" ".repeat(after.len() - value.len()).as_str(), &quote.to_string(), TAKEN_OUT, &quote.to_string()]),
            None => out.push_str(TAKEN_OUT),
        }
        // Where a value without quotes ends is not known: it may hold anything.
        rest = inner.map_or("", |inner| value.get(inner.len() + 2..).unwrap_or(""));
    }
    out.push_str(rest);
    (out, was_secret)
}

/// What stands before the quote that closes it.
fn quoted(text: &str, quote: char) -> &str {
    let mut escaped = false;
    for (at, one) in text.char_indices() {
        if !escaped && one == quote {
            return &text[..at];
        }
        escaped = !escaped && one == '\\';
    }
    text
}

/// Addresses without what stands before their @.
fn without_user(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(['/', ' ', '"', '\'', ',']).unwrap_or(after.len());
        let (host, tail) = after.split_at(end);
        out.push_str(host.rsplit_once('@').map_or(host, |(_, host)| host));
        rest = tail;
    }
    out + rest
}

/// Arguments without what follows a secret's name.
pub fn arguments(all: &[String]) -> Vec<String> {
    let mut hide_next = false;
    all.iter()
        .map(|argument| {
            if std::mem::take(&mut hide_next) && !argument.starts_with('-') && !is_harmless(argument) {
                return TAKEN_OUT.into();
            }
            match argument.split_once('=') {
                Some((name, value)) if names_a_secret(name) && !is_harmless(value) => format!("{name}={TAKEN_OUT}"),
                None if argument.starts_with('-') && names_a_secret(argument) => {
                    hide_next = true;
                    argument.clone()
                }
                _ => without_user(argument),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_stay_and_secrets_go() {
        let kept = "PasswordAuthentication yes\ntls-private-key-file: /a/b.key\nPASS_MAX_DAYS 90\ntokenTTL: 1h0m0s\n";
        assert_eq!(text("/etc/x", kept).as_deref(), Some(kept));
        assert_eq!(
            text("/etc/x", "password = hunter2\n  \"token\": \"abc\",\nrootpassword s3cr3t\n").as_deref(),
            Some("password =***\n  \"token\": \"***\",\nrootpassword ***\n")
        );
        assert_eq!(text("/etc/x", "proxy: http://me:pw@host:1/x\n").as_deref(), Some("proxy: http://host:1/x\n"));
        assert_eq!(text("/etc/x", "# password=1\na\n").as_deref(), Some("\na\n"));
        assert_eq!(text("/etc/pam.d/x", "password required pam_unix.so\n").as_deref(), Some("password required pam_unix.so\n"));
        assert_eq!(text("/x", "-----BEGIN RSA PRIVATE KEY-----\n"), None);
    }

    #[test]
    fn every_secret_of_a_line_goes_whatever_its_value_holds() {
        let shown = |line: &str| text("/etc/x", line).unwrap();
        assert_eq!(
            shown(r#"{"log-driver":"splunk","log-opts":{"splunk-token":"abc","tag":"x"}}"#),
            "{\"log-driver\":\"splunk\",\"log-opts\":{\"splunk-token\":\"***\",\"tag\":\"x\"}}\n"
        );
        assert_eq!(shown(r#"  "splunk-token": "YWJj==""#), "  \"splunk-token\": \"***\"\n");
        assert_eq!(shown("auth = \"dXNlcjpwdw==\""), "auth = \"***\"\n");
        assert_eq!(shown(r#""password": "a\"b", "user": "me""#), "\"password\": \"***\", \"user\": \"me\"\n");
        assert_eq!(shown("password: a,b=c"), "password:***\n");
        assert_eq!(shown("authorization-mode: Webhook"), "authorization-mode: Webhook\n");
        assert_eq!(shown("token: \"never closed"), "token: \"***\"\n");
        assert_eq!(shown("PermitEmptyPasswords yes # for now"), "PermitEmptyPasswords yes\n");
        assert_eq!(shown("PermitEmptyPasswords hunter2 # for now"), "PermitEmptyPasswords ***\n");
    }

    #[test]
    fn accounts_keep_their_numbers_whatever_they_are_called() {
        let accounts = "secretsd:x:0:0::/root:/bin/bash\nold:$1$abc:5:5::/:/bin/sh\n";
        assert_eq!(text("/etc/passwd", accounts).as_deref(), Some("secretsd:x:0:0::/root:/bin/bash\nold:***:5:5::/:/bin/sh\n"));
        assert_eq!(text("/etc/shadow-", "root:$y$x:1::\n").as_deref(), Some("root:x:1::\n"));
    }

    #[test]
    fn no_hash_of_a_password_leaves_the_node() {
        let shadow = "root:$y$j9T$x:1:0:99999:7:::\nnobody:*:1::::::\nopen::1::::::\n";
        assert_eq!(text("/etc/shadow", shadow).as_deref(), Some("root:x:1:0:99999:7:::\nnobody:!:1::::::\nopen::1::::::\n"));
    }

    #[test]
    fn arguments_lose_what_follows_a_secrets_name() {
        let words = |text: &str| text.split(' ').map(String::from).collect::<Vec<_>>();
        let shown = arguments(&words("etcd --password=x --token abc --token-auth-file=/f --password -v --url=http://a:b@c/"));
        assert_eq!(shown, words("etcd --password=*** --token *** --token-auth-file=/f --password -v --url=http://c/"));
    }
}
