//! Ending containers.
use serde_json::json;
use std::fs;
use std::rc::Rc;
use std::time::Duration;

use super::Report;
use super::kill::{self, Target};
use crate::container::ContainerHandle;
use crate::container::containerd::{self, tasks};
use crate::wire::order_result::Outcome;

const PATIENCE: Duration = Duration::from_secs(5);
/// A container that forks as fast as it is killed is killed this many times.
const ROUNDS: usize = 20;
const GRACE_MAX: u32 = 300;

/// Every process in these cgroups and those below them.
fn members(directories: &[String]) -> Vec<u32> {
    let mut found = Vec::new();
    let mut open: Vec<String> = directories.to_vec();
    while let Some(directory) = open.pop() {
        let text = fs::read_to_string(format!("{directory}/cgroup.procs")).unwrap_or_default();
        found.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()));
        let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
        open.extend(
            entries
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                .map(|entry| entry.path().to_string_lossy().into_owned()),
        );
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Kills everything in the cgroups until they are empty.
async fn empty(directories: &[String]) -> (usize, Vec<u32>) {
    let mut killed = 0;
    for _ in 0..ROUNDS {
        let targets: Vec<Target> = members(directories).into_iter().filter_map(|pid| Target::open(pid, 0)).collect();
        if targets.is_empty() {
            return (killed, Vec::new());
        }
        killed += targets.iter().filter(|target| target.signal(libc::SIGKILL)).count();
        thaw(directories);
        kill::wait(&targets, PATIENCE / ROUNDS as u32).await;
    }
    (killed, members(directories))
}

/// A frozen process of version 1 does not even die.
fn thaw(directories: &[String]) {
    for directory in directories {
        let state = format!("{directory}/freezer.state");
        if fs::read_to_string(&state).is_ok_and(|text| text.trim() != "THAWED")
            && let Err(error) = fs::write(&state, "THAWED")
        {
            eprintln!("{state}: {error}");
        }
    }
}

/// SIGTERM to the first process, and after the grace SIGKILL to whatever is left.
pub async fn stop(directories: Vec<String>, container: Rc<ContainerHandle>, grace_seconds: u32) -> Report {
    let first = container.facts().pid;
    let grace = Duration::from_secs(u64::from(grace_seconds.min(GRACE_MAX)));
    let mut gentle = false;
    if let Some(target) = Target::open(first, 0).filter(|_| first > 1 && members(&directories).contains(&first)) {
        target.signal(libc::SIGTERM);
        gentle = kill::wait(std::slice::from_ref(&target), grace).await.is_empty();
    }
    let (killed, left) = empty(&directories).await;
    let facts = json!({"gentle": gentle, "killed": killed, "left": left});
    if !left.is_empty() {
        return Report::new(Outcome::Failed, format!("{} processes did not end", left.len())).with(facts);
    }
    container.update(|facts| facts.state = "stopped".into());
    let how = if gentle { "it ended by itself when it was asked to" } else { "it was killed" };
    Report::new(Outcome::Done, format!("stopped: {how}")).with(facts)
}

/// Kills everything and lets the runtime remove what is left of it.
pub async fn destroy(directories: Vec<String>, container: Rc<ContainerHandle>) -> Report {
    let (killed, left) = empty(&directories).await;
    if !left.is_empty() {
        return Report::new(Outcome::Failed, format!("{} processes did not end", left.len())).with(json!({"killed": killed, "left": left}));
    }
    container.update(|facts| facts.state = "destroyed".into());
    let removed = remove(&container).await;
    let detail = match &removed {
        Ok(()) => "destroyed and removed from its runtime".to_string(),
        Err(why) => format!("destroyed; its runtime keeps a record of it ({why})"),
    };
    Report::new(Outcome::Done, detail).with(json!({"killed": killed, "removed": removed.is_ok()}))
}

async fn remove(container: &ContainerHandle) -> Result<(), String> {
    let facts = container.facts();
    if facts.runtime != "containerd" {
        return Err(format!("{} removes it by itself", facts.runtime));
    }
    let channel = containerd::channel().map_err(|error| error.to_string())?;
    let mut client = tasks::tasks_client::TasksClient::new(channel);
    let request = containerd::within(&facts.runtime_namespace, tasks::DeleteTaskRequest { container_id: facts.id.clone() });
    match client.delete(request).await {
        Ok(_) => Ok(()),
        // Whoever started it has removed it.
        Err(status) if status.code() == tonic::Code::NotFound => Ok(()),
        Err(status) => Err(status.message().to_string()),
    }
}
