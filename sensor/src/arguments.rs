//! Options of a command line: `--name value`, `--name=value`, `--flag`.
use std::collections::HashMap;

#[derive(Debug, Default)]
pub struct Arguments {
    values: HashMap<String, String>,
    flags: Vec<String>,
}

/// Reads options. Names that are not listed are errors, as are values that are missing.
pub fn parse(words: &[String], valued: &[&str], flags: &[&str]) -> Result<Arguments, String> {
    let mut arguments = Arguments::default();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let Some(option) = word.strip_prefix("--") else { return Err(format!("`{word}` is not understood here")) };
        let (name, value) = option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value.to_string())));
        if flags.contains(&name) && value.is_none() {
            arguments.flags.push(name.into());
        } else if valued.contains(&name) {
            let value = value.or_else(|| rest.next().cloned()).ok_or_else(|| format!("--{name} needs a value"))?;
            arguments.values.insert(name.into(), value);
        } else {
            return Err(format!("--{name} is no option here; options: {}", [valued, flags].concat().join(", ")));
        }
    }
    Ok(arguments)
}

impl Arguments {
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub fn needed(&self, name: &str) -> Result<&str, String> {
        self.value(name).ok_or_else(|| format!("--{name} is needed"))
    }

    pub fn flag(&self, name: &str) -> bool {
        self.flags.iter().any(|flag| flag == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(String::from).collect()
    }

    #[test]
    fn options_take_values_either_way() {
        let arguments = parse(&words("--output=- --policy p --json"), &["output", "policy"], &["json"]).expect("good");
        assert_eq!((arguments.value("output"), arguments.value("policy"), arguments.flag("json")), (Some("-"), Some("p"), true));
    }

    #[test]
    fn what_is_not_understood_is_said() {
        assert!(parse(&words("--nope"), &["a"], &[]).unwrap_err().contains("nope"));
        assert!(parse(&words("--a"), &["a"], &[]).unwrap_err().contains("value"));
        assert!(parse(&words("x"), &[], &[]).is_err());
    }
}
