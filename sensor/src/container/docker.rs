//! What Docker and podman keep on disk about their containers.
use serde_json::Value;

use super::locate::read_json;
use crate::wire::Container;

const DOCKER_CONTAINERS: &str = "/var/lib/docker/containers";
const PODMAN_CONTAINERS: [&str; 2] = [
    "/var/lib/containers/storage/overlay-containers/containers.json",
    "/run/containers/storage/overlay-containers/volatile-containers.json",
];

/// Adds name, image and labels of a Docker or podman container.
pub fn describe(facts: &mut Container) {
    match facts.runtime.as_str() {
        "docker" => {
            if let Some(config) = read_json(&format!("{DOCKER_CONTAINERS}/{}/config.v2.json", facts.id)) {
                from_docker(facts, &config);
            }
        }
        "podman" | "cri-o" => {
            for path in PODMAN_CONTAINERS {
                if let Some(list) = read_json(path) {
                    from_storage(facts, &list);
                }
            }
        }
        _ => {}
    }
}

fn from_docker(facts: &mut Container, config: &Value) {
    if let Some(name) = config["Name"].as_str() {
        facts.name = name.trim_start_matches('/').into();
    }
    if let Some(image) = config["Config"]["Image"].as_str() {
        facts.image = image.into();
    }
    for (key, value) in config["Config"]["Labels"].as_object().into_iter().flatten() {
        facts.labels.insert(key.clone(), value.as_str().unwrap_or_default().into());
    }
}

fn from_storage(facts: &mut Container, list: &Value) {
    let Some(entry) = list.as_array().into_iter().flatten().find(|entry| entry["id"] == facts.id.as_str()) else { return };
    if let Some(name) = entry["names"][0].as_str() {
        facts.name = name.into();
    }
    // The metadata is JSON in a string (containers/storage, Container.Metadata).
    let metadata: Value = entry["metadata"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
    if let Some(image) = metadata["image-name"].as_str() {
        facts.image = image.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dockers_own_name_and_image_are_used() {
        let mut facts = Container::default();
        from_docker(&mut facts, &json!({"Name": "/web", "Config": {"Image": "nginx:1", "Labels": {"a": "b"}}}));
        assert_eq!((facts.name.as_str(), facts.image.as_str(), facts.labels["a"].as_str()), ("web", "nginx:1", "b"));
    }

    #[test]
    fn podmans_metadata_within_metadata_is_read() {
        let mut facts = Container { id: "x".into(), ..Container::default() };
        let list = json!([{"id": "x", "names": ["n"], "metadata": "{\"image-name\":\"i\"}"}]);
        from_storage(&mut facts, &list);
        assert_eq!((facts.name.as_str(), facts.image.as_str()), ("n", "i"));
    }
}
