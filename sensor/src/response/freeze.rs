//! Pausing and resuming: by containerd where it is containerd's, by the freezer of the cgroup elsewhere.
use std::fs;
use std::rc::Rc;
use std::time::Duration;

use super::Report;
use crate::container::ContainerHandle;
use crate::container::containerd::{self, tasks};
use crate::doctor::Cgroups;
use crate::wire::order_result::Outcome;

const PATIENCE: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The container's folders in the hierarchies that list or freeze processes.
pub fn directories(cgroups: &Cgroups, container: &ContainerHandle) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(place) = &cgroups.unified {
        all.push(format!("{place}{}", container.cgroup_path));
    }
    for controller in ["freezer", "pids", "memory"] {
        all.push(format!("/sys/fs/cgroup/{controller}{}", container.cgroup_path));
    }
    all.retain(|path| fs::metadata(path).is_ok());
    all
}

enum Freezer {
    /// freezer.state: FROZEN, THAWED
    Version1(String),
    /// cgroup.freeze, and "frozen" in cgroup.events
    Version2(String),
}

fn freezer(container: &ContainerHandle) -> Option<Freezer> {
    let first = format!("/sys/fs/cgroup/freezer{}", container.cgroup_path);
    if fs::metadata(format!("{first}/freezer.state")).is_ok() {
        return Some(Freezer::Version1(first));
    }
    let place = crate::doctor::host_cgroups().unified?;
    let second = format!("{place}{}", container.cgroup_path);
    fs::metadata(format!("{second}/cgroup.freeze")).is_ok().then_some(Freezer::Version2(second))
}

impl Freezer {
    fn is_frozen(&self) -> bool {
        match self {
            Self::Version1(path) => fs::read_to_string(format!("{path}/freezer.state")).is_ok_and(|text| text.trim() == "FROZEN"),
            Self::Version2(path) => fs::read_to_string(format!("{path}/cgroup.events")).is_ok_and(|text| text.contains("frozen 1")),
        }
    }

    fn set(&self, frozen: bool) -> std::io::Result<()> {
        match self {
            Self::Version1(path) => fs::write(format!("{path}/freezer.state"), if frozen { "FROZEN" } else { "THAWED" }),
            Self::Version2(path) => fs::write(format!("{path}/cgroup.freeze"), if frozen { "1" } else { "0" }),
        }
    }
}

async fn by_containerd(container: &ContainerHandle, frozen: bool) -> Result<(), String> {
    let facts = container.facts();
    let channel = containerd::channel().map_err(|error| error.to_string())?;
    let mut client = tasks::tasks_client::TasksClient::new(channel);
    let answer = if frozen {
        client.pause(containerd::within(&facts.runtime_namespace, tasks::PauseTaskRequest { container_id: facts.id.clone() })).await
    } else {
        client.resume(containerd::within(&facts.runtime_namespace, tasks::ResumeTaskRequest { container_id: facts.id.clone() })).await
    };
    answer.map(|_| ()).map_err(|status| status.message().to_string())
}

/// Pauses or resumes, and looks whether it is so.
pub async fn set(container: Rc<ContainerHandle>, frozen: bool) -> Report {
    let word = if frozen { "paused" } else { "running" };
    let Some(freezer) = freezer(&container) else {
        return Report::new(Outcome::Failed, "the container's cgroup has no freezer; kill its processes instead");
    };
    if freezer.is_frozen() == frozen {
        return Report::new(Outcome::Unchanged, format!("it is {word} already"));
    }
    let mut means = "containerd";
    let mut answer = Err("not containerd's".to_string());
    if container.facts().runtime == "containerd" {
        answer = by_containerd(&container, frozen).await;
    }
    if answer.is_err() {
        means = "the cgroup's freezer";
        answer = freezer.set(frozen).map_err(|error| error.to_string());
    }
    if let Err(why) = answer {
        return Report::new(Outcome::Failed, why);
    }
    let until = tokio::time::Instant::now() + PATIENCE;
    while freezer.is_frozen() != frozen && tokio::time::Instant::now() < until {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    if freezer.is_frozen() != frozen {
        return Report::new(Outcome::Failed, format!("it was asked for by {means}, but the container is not {word}"));
    }
    container.update(|facts| facts.state = word.into());
    Report::new(Outcome::Done, format!("{word}, by {means}"))
}
