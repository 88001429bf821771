//! containerd's own word on a container: image, digest, labels; and its means to act on one.
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Request, metadata::MetadataValue};

#[allow(clippy::all)]
pub mod containers {
    tonic::include_proto!("containerd.services.containers.v1");
}
#[allow(clippy::all)]
pub mod images {
    tonic::include_proto!("containerd.services.images.v1");
}
#[allow(clippy::all)]
pub mod tasks {
    tonic::include_proto!("containerd.services.tasks.v1");
}

pub const SOCKET: &str = "/run/containerd/containerd.sock";
/// Events of a container wait this long for its description.
pub const ANSWER_TIMEOUT: Duration = Duration::from_millis(800);

/// What is asked for.
#[derive(Debug, Default, Clone)]
pub struct Description {
    pub image: String,
    pub digest: String,
    pub labels: std::collections::HashMap<String, String>,
}

/// A connection; made when it is first used.
pub fn channel() -> Result<Channel, tonic::transport::Error> {
    let connect = tower::service_fn(|_: Uri| async { UnixStream::connect(SOCKET).await.map(TokioIo::new) });
    Ok(Endpoint::try_from("http://containerd")?.timeout(ANSWER_TIMEOUT).connect_with_connector_lazy(connect))
}

/// A request in one of containerd's namespaces.
pub fn within<T>(namespace: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    if let Ok(value) = MetadataValue::try_from(namespace) {
        request.metadata_mut().insert("containerd-namespace", value);
    }
    request
}

/// Asks for a container and its image. Errors are containerd's own words.
pub async fn describe(channel: Channel, namespace: &str, id: &str) -> Result<Description, String> {
    let mut client = containers::containers_client::ContainersClient::new(channel.clone());
    let request = within(namespace, containers::GetContainerRequest { id: id.into() });
    let container = client.get(request).await.map_err(|status| status.to_string())?.into_inner().container.unwrap_or_default();
    let mut description = Description { image: container.image.clone(), labels: container.labels, digest: String::new() };
    if !container.image.is_empty() {
        let mut client = images::images_client::ImagesClient::new(channel);
        let request = within(namespace, images::GetImageRequest { name: container.image });
        if let Ok(answer) = client.get(request).await {
            description.digest = answer.into_inner().image.and_then(|image| image.target).unwrap_or_default().digest;
        }
    }
    Ok(description)
}
