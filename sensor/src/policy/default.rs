//! The policy of a sensor that was given none: everything but plain reads and writes.
use crate::wire::{EventSelection, EventType, Limits, PathPattern, Policy, path_pattern::Kind};

/// Reads that matter whatever the rules say.
const WATCHED_READS: &[(Kind, &str)] = &[
    (Kind::Exact, "/etc/shadow"),
    (Kind::Exact, "/etc/gshadow"),
    (Kind::Exact, "/etc/sudoers"),
    (Kind::Prefix, "/etc/sudoers.d/"),
    (Kind::Prefix, "/root/.ssh/"),
    (Kind::Prefix, "/var/run/secrets/"),
    (Kind::Prefix, "/run/secrets/"),
    (Kind::Suffix, "/id_rsa"),
    (Kind::Suffix, "/id_ed25519"),
    (Kind::Suffix, "/.aws/credentials"),
    (Kind::Suffix, "/.kube/config"),
    (Kind::Suffix, "/.docker/config.json"),
    (Kind::Suffix, "/environ"),
    (Kind::Suffix, "/docker.sock"),
    (Kind::Prefix, "/proc/1/"),
    (Kind::Prefix, "/dev/mem"),
    (Kind::Prefix, "/dev/sd"),
    (Kind::Prefix, "/dev/vd"),
    (Kind::Prefix, "/dev/nvme"),
];

/// What comes without being asked for, and what is noise by the thousand unless its paths are chosen.
fn quiet(kind: EventType) -> bool {
    matches!(kind, EventType::Unspecified | EventType::Container | EventType::Blocked | EventType::Tamper | EventType::Write)
}

/// Calls whose failure tells of an attempt.
pub fn tells_by_failing(kind: EventType) -> bool {
    use EventType as E;
    matches!(
        kind,
        E::Mount
            | E::Umount
            | E::PivotRoot
            | E::Unshare
            | E::Setns
            | E::Ptrace
            | E::ProcessVmWritev
            | E::InitModule
            | E::FinitModule
            | E::DeleteModule
            | E::Bpf
            | E::KexecLoad
            | E::PerfEventOpen
            | E::Keyctl
            | E::Userfaultfd
            | E::Setuid
            | E::Setgid
            | E::OpenByHandleAt
            | E::Reboot
            | E::Chroot
            | E::Connect
            | E::AddKey
            | E::MoveMount
            | E::Mknod
            | E::Fsopen
    )
}

/// Every kind there is but writes, from containers and host.
pub fn policy() -> Policy {
    let mut selections = Vec::new();
    for number in 1..=EventType::Tamper as i32 {
        let Ok(kind) = EventType::try_from(number) else { continue };
        if quiet(kind) {
            continue;
        }
        selections.push(EventSelection {
            r#type: number,
            from_containers: true,
            from_host: true,
            failures: tells_by_failing(kind),
            ..EventSelection::default()
        });
    }
    selections.push(EventSelection {
        r#type: EventType::Open as i32,
        from_containers: true,
        from_host: true,
        reads: true,
        failures: false,
        paths: WATCHED_READS.iter().map(|(kind, value)| PathPattern { kind: *kind as i32, value: (*value).into() }).collect(),
        ..EventSelection::default()
    });
    Policy {
        revision: 0,
        selections,
        blocks: Vec::new(),
        limits: Some(Limits { cpu_share: 0.0, spool_bytes: 256 << 20, events_per_second_per_container: 0, flow_seconds: 0 }),
        digest_files_up_to_bytes: 0,
    }
}
