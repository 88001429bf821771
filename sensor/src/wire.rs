//! The contract with the server, as prost makes it from proto/.
#![allow(clippy::all)]
tonic::include_proto!("bulwark.sensor.v1");
