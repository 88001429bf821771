//! A policy as JSON, for use without a server: the contract's names in camel case, event types in lower case.
//!
//! `{"selections":[{"type":"open","fromContainers":true,"paths":[{"kind":"prefix","value":"/etc/"}]}]}`
use serde_json::Value;

use crate::wire::{
    Block, ConnectBlock, EventSelection, EventType, ExecBlock, FileBlock, Limits, PathPattern, Policy, Scope, SyscallBlock, block::What,
    path_pattern,
};

fn boolean(value: &Value, key: &str) -> bool {
    value[key].as_bool().unwrap_or(false)
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or(0)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn strings(value: &Value, key: &str) -> Vec<String> {
    list(value, key).iter().filter_map(Value::as_str).map(String::from).collect()
}

fn paths(value: &Value) -> Result<Vec<PathPattern>, String> {
    let pattern = |entry: &Value| {
        let kind = entry["kind"].as_str().unwrap_or("exact").to_uppercase();
        let kind = path_pattern::Kind::from_str_name(&kind).ok_or_else(|| format!("`{kind}` is no kind of path pattern"))?;
        Ok(PathPattern { kind: kind as i32, value: entry["value"].as_str().unwrap_or_default().into() })
    };
    list(value, "paths").iter().map(pattern).collect()
}

fn selection(value: &Value) -> Result<EventSelection, String> {
    let name = value["type"].as_str().unwrap_or_default();
    let kind = EventType::from_str_name(&name.to_uppercase()).ok_or_else(|| format!("`{name}` is no event type"))?;
    Ok(EventSelection {
        r#type: kind as i32,
        from_containers: boolean(value, "fromContainers"),
        from_host: boolean(value, "fromHost"),
        paths: paths(value)?,
        reads: boolean(value, "reads"),
        calls: strings(value, "calls"),
        failures: boolean(value, "failures"),
    })
}

fn block(value: &Value) -> Result<Block, String> {
    let scope = &value["scope"];
    let labels = scope["labels"].as_object().into_iter().flatten();
    let what = if value["exec"].is_object() {
        let exec = &value["exec"];
        What::Exec(ExecBlock {
            names: strings(exec, "names"),
            paths: paths(exec)?,
            drifted: boolean(exec, "drifted"),
            in_memory: boolean(exec, "inMemory"),
            socket_stdio: boolean(exec, "socketStdio"),
        })
    } else if value["file"].is_object() {
        let file = &value["file"];
        What::File(FileBlock { paths: paths(file)?, reads: boolean(file, "reads"), writes: boolean(file, "writes") })
    } else if value["connect"].is_object() {
        let connect = &value["connect"];
        What::Connect(ConnectBlock {
            networks: strings(connect, "networks"),
            ports: list(connect, "ports").iter().filter_map(Value::as_u64).map(|port| port as u32).collect(),
            except: strings(connect, "except"),
        })
    } else if value["syscall"].is_object() {
        What::Syscall(SyscallBlock { calls: strings(&value["syscall"], "calls") })
    } else {
        return Err(format!("block `{}` says not what it blocks: exec, file, connect or syscall", value["id"]));
    };
    Ok(Block {
        id: value["id"].as_str().unwrap_or_default().into(),
        rule: value["rule"].as_str().unwrap_or_default().into(),
        scope: Some(Scope {
            host: boolean(scope, "host"),
            images: strings(scope, "images"),
            namespaces: strings(scope, "namespaces"),
            container_names: strings(scope, "containerNames"),
            container_ids: strings(scope, "containerIds"),
            labels: labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.into()))).collect(),
        }),
        what: Some(what),
    })
}

/// Reads a policy. Errors name the part that cannot be read.
pub fn parse(text: &str) -> Result<Policy, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    let limits = &value["limits"];
    let selections = list(&value, "selections").iter().map(selection).collect::<Result<Vec<_>, _>>()?;
    Ok(Policy {
        revision: number(&value, "revision"),
        selections: if value["selections"].is_array() { selections } else { super::default::policy().selections },
        blocks: list(&value, "blocks").iter().map(block).collect::<Result<_, _>>()?,
        limits: limits.is_object().then(|| Limits {
            cpu_share: limits["cpuShare"].as_f64().unwrap_or(0.0),
            spool_bytes: number(limits, "spoolBytes"),
            events_per_second_per_container: number(limits, "eventsPerSecondPerContainer") as u32,
            flow_seconds: number(limits, "flowSeconds") as u32,
        }),
        digest_files_up_to_bytes: number(&value, "digestFilesUpToBytes"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_says_which_part_is_wrong() {
        assert!(parse("{").unwrap_err().contains("JSON"));
        assert!(parse(r#"{"selections":[{"type":"opne"}]}"#).unwrap_err().contains("opne"));
        assert!(parse(r#"{"blocks":[{"id":"b"}]}"#).unwrap_err().contains("b"));
    }

    #[test]
    fn blocks_keep_their_scope() {
        let policy = parse(r#"{"blocks":[{"id":"x","scope":{"images":["a*"]},"exec":{"names":["nc"]}}]}"#).expect("good");
        assert_eq!(policy.blocks[0].scope.as_ref().expect("scope").images, ["a*"]);
        assert!(!policy.selections.is_empty());
    }
}
