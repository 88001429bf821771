//! Values of flags that name files, of components that run on the host.
use crate::wire::ProcessFact;

/// Short forms of flags, by program.
const SHORT: [(&str, &str, &str); 1] = [("containerd", "--config", "-c")];
/// Programs that run as an account of their own.
const OF_OTHERS: [&str; 1] = ["etcd"];
/// Programs whose flags may begin with one dash, and may be given as variables, by how these begin (etcd's documentation, "Configuration
/// options").
const BY_VARIABLE: [(&str, &str); 1] = [("etcd", "ETCD_")];

/// `--flag=value` or `--flag value`, the last one, of the program's first process on the host; else the variable that stands for the flag.
pub fn value_of(processes: &[ProcessFact], program: &str, flag: &str) -> Option<String> {
    let is_own =
        |one: &&ProcessFact| one.program == program && one.container_id.is_empty() && (one.uid == 0 || OF_OTHERS.contains(&program));
    let process = processes.iter().find(is_own)?;
    let by_variable = BY_VARIABLE.iter().find(|(name, _)| *name == program).map(|(_, prefix)| *prefix);
    let short = SHORT.iter().find(|(name, long, _)| *name == program && *long == flag).map(|(_, _, short)| *short);
    let is_it = |name: &str| {
        // Kubernetes takes _ for - in names of flags.
        let name = name.replace('_', "-");
        name == flag || short == Some(name.as_str()) || (by_variable.is_some() && flag.strip_prefix('-') == Some(name.as_str()))
    };
    let mut found = None;
    let mut arguments = process.arguments.iter().skip(1).peekable();
    while let Some(argument) = arguments.next() {
        match argument.split_once('=') {
            Some((name, value)) if is_it(name) => found = Some(value.to_string()),
            None if is_it(argument) => found = arguments.peek().map(|next| (*next).clone()).or(found),
            _ => {}
        }
    }
    found.or_else(|| {
        let name = format!("{}{}=", by_variable?, flag.trim_start_matches('-').replace('-', "_").to_ascii_uppercase());
        process.environment.iter().find_map(|one| one.strip_prefix(&name)).filter(|value| !value.is_empty()).map(String::from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(program: &str, uid: u32, container: &str, arguments: &str) -> ProcessFact {
        ProcessFact {
            program: program.into(),
            uid,
            container_id: container.into(),
            arguments: arguments.split(' ').map(String::from).collect(),
            ..ProcessFact::default()
        }
    }

    #[test]
    fn a_flag_counts_only_of_roots_own_process_on_the_host() {
        let all = [
            process("kubelet", 1_000, "", "x --config=/user"),
            process("kubelet", 0, "c", "x --config=/container"),
            process("kubelet", 0, "", "x --config=/first --config /host --config-dir /d"),
        ];
        assert_eq!(value_of(&all, "kubelet", "--config").as_deref(), Some("/host"));
        assert_eq!(value_of(&all[..2], "kubelet", "--config"), None);
        assert_eq!(value_of(&[process("kubelet", 0, "", "x --config_dir=/d")], "kubelet", "--config-dir").as_deref(), Some("/d"));
    }

    #[test]
    fn short_forms_single_dashes_and_variables_count_where_the_program_takes_them() {
        assert_eq!(value_of(&[process("containerd", 0, "", "x -c /c.toml")], "containerd", "--config").as_deref(), Some("/c.toml"));
        assert_eq!(value_of(&[process("kubelet", 0, "", "x -config=/c")], "kubelet", "--config"), None);
        let mut etcd = process("etcd", 112, "", "x -config-file=/e.yml");
        assert_eq!(value_of(&[etcd.clone()], "etcd", "--config-file").as_deref(), Some("/e.yml"));
        etcd.arguments.truncate(1);
        etcd.environment = vec!["ETCD_CONFIG_FILE=/v.yml".into()];
        assert_eq!(value_of(&[etcd], "etcd", "--config-file").as_deref(), Some("/v.yml"));
    }
}
