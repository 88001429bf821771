//! Events as lines of JSON, in the shape that rules read: references resolved, process in process.
use serde_json::{Map, Value, json};
use std::rc::Rc;

use crate::engine::Seen;
use crate::process::{Image, LINEAGE_DEPTH, Process};
use crate::wire::{Container, EventType, Stdio};

/// The contract's word for a kind of standard stream.
pub fn stdio_name(kind: i32) -> &'static str {
    match Stdio::try_from(kind).unwrap_or(Stdio::Unknown) {
        Stdio::Unknown => "unknown",
        Stdio::Closed => "closed",
        Stdio::File => "file",
        Stdio::Terminal => "terminal",
        Stdio::Pipe => "pipe",
        Stdio::Socket => "socket",
        Stdio::Null => "null",
    }
}

pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn process(process: &Rc<Process>, image: &Image, depth: usize) -> Value {
    let parent = process.parent.borrow();
    let parent = match parent.as_ref() {
        Some(parent) if depth > 0 => self::process(parent, &parent.image(), depth - 1),
        _ => Value::Null,
    };
    json!({
        "pid": process.pid,
        "namespacePid": process.namespace_pid,
        "startUs": process.start_us(),
        "parent": parent,
        "name": image.name,
        "exe": image.exe,
        "arguments": image.arguments,
        "argumentsCut": image.arguments_cut,
        "cwd": image.cwd,
        "uid": image.uid,
        "gid": image.gid,
        "effectiveUid": image.effective_uid,
        "loginUid": image.login_uid,
        "userName": image.user_name,
        "sessionId": image.session_id,
        "groupLeaderPid": image.group_id,
        "tty": image.tty,
        "effectiveCapabilities": image.capabilities,
        "interpreter": image.interpreter,
        "exeInMemory": image.in_memory,
        "exeDeleted": image.deleted,
        "exeDrifted": image.drifted,
        "exeWritable": image.writable,
        "exeInode": image.exe_inode,
        "exeDigest": hexadecimal(&image.exe_digest),
        "stdin": stdio_name(i32::from(image.stdio[0])),
        "stdout": stdio_name(i32::from(image.stdio[1])),
        "stderr": stdio_name(i32::from(image.stdio[2])),
    })
}

fn container(facts: &Container) -> Value {
    let mounts: Vec<Value> = facts
        .mounts
        .iter()
        .map(|mount| json!({"source": mount.source, "destination": mount.destination, "type": mount.r#type, "writable": mount.writable}))
        .collect();
    let labels: Map<String, Value> = facts.labels.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    json!({
        "id": facts.id,
        "runtime": facts.runtime,
        "runtimeNamespace": facts.runtime_namespace,
        "name": facts.name,
        "image": facts.image,
        "imageDigest": facts.image_digest,
        "labels": labels,
        "privileged": facts.privileged,
        "mounts": mounts,
        "capabilities": facts.capabilities,
        "hostNetwork": facts.host_network,
        "hostPid": facts.host_pid,
        "hostIpc": facts.host_ipc,
        "readOnlyRoot": facts.read_only_root,
        "seccomp": facts.seccomp,
        "user": facts.user,
        "pod": facts.pod,
        "podUid": facts.pod_uid,
        "namespace": facts.namespace,
        "kubernetesContainer": facts.kubernetes_container,
        "startedUs": facts.started_us,
        "addresses": facts.addresses,
    })
}

/// One event, with its line's end.
pub fn line(seen: &Seen) -> Vec<u8> {
    let event = &seen.event;
    let kind = EventType::try_from(event.r#type).unwrap_or_default().as_str_name().to_lowercase();
    let actor = match (&seen.process, &seen.image) {
        (Some(found), Some(image)) => process(found, image, LINEAGE_DEPTH),
        _ => Value::Null,
    };
    let value = json!({
        "type": kind,
        "timeUs": event.time_us,
        "count": event.count.max(1),
        "process": actor,
        "container": seen.container.as_ref().map_or(Value::Null, |found| container(&found.facts())),
        "threadId": event.thread_id,
        "result": event.result,
        "path": event.path,
        "newPath": event.new_path,
        "flags": event.flags,
        "mode": event.mode,
        "fd": event.fd,
        "upperLayer": event.upper_layer,
        "inode": event.inode,
        "device": event.device,
        "family": event.family,
        "protocol": event.protocol,
        "localAddress": event.local_address,
        "localPort": event.local_port,
        "remoteAddress": event.remote_address,
        "remotePort": event.remote_port,
        "bytesSent": event.bytes_sent,
        "bytesReceived": event.bytes_received,
        "dnsName": event.dns_name,
        "dnsType": event.dns_type,
        "dnsAnswers": event.dns_answers,
        "argument": event.argument,
        "targetPid": event.target_pid,
        "detail": event.detail,
        "blockId": event.block_id,
        "targetFd": event.target_fd,
        "fdKind": stdio_name(event.fd_kind),
        "oldCapabilities": event.old_capabilities,
        "oldUid": event.old_uid,
    });
    let mut line = value.to_string().into_bytes();
    line.push(b'\n');
    line
}
