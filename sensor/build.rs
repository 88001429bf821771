//! Builds what Rust includes: the kernel programs (clang, CO-RE) and the wire contract (prost).
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const CONTRACT_ROOT: &str = "../proto";
const CONTRACT: &str = "bulwark/sensor/v1/sensor.proto";
const CONTAINERD: [&str; 3] = ["containerd/containers.proto", "containerd/images.proto", "containerd/tasks.proto"];

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    compile_contract();
    compile_kernel_program(&out, "sensor");
    compile_kernel_program(&out, "sensor_hooks");
    compile_kernel_program(&out, "isolate");
    compile_kernel_program(&out, "probe");
    compile_kernel_program(&out, "hook_check");
}

fn compile_contract() {
    println!("cargo:rerun-if-changed={CONTRACT_ROOT}/{CONTRACT}");
    println!("cargo:rerun-if-changed=proto");
    let mut files = vec![CONTRACT];
    files.extend(CONTAINERD);
    let descriptors =
        protox::compile(files, [CONTRACT_ROOT, "proto"]).unwrap_or_else(|error| panic!("the wire contract does not compile: {error}"));
    tonic_prost_build::configure()
        .build_server(false)
        .build_transport(false)
        .compile_fds(descriptors)
        .unwrap_or_else(|error| panic!("no Rust code for the wire contract: {error}"));
}

/// Compiles `bpf/<name>.bpf.c` to `<name>.bpf.o`. The families are included by that one file, so that they share maps.
fn compile_kernel_program(out: &Path, name: &str) {
    for entry in fs::read_dir("bpf").expect("sensor/bpf is beside build.rs") {
        println!("cargo:rerun-if-changed={}", entry.expect("a readable folder").path().display());
    }
    let architecture = match env::var("CARGO_CFG_TARGET_ARCH").as_deref() {
        Ok("aarch64") => "arm64",
        _ => "x86",
    };
    let clang = env::var("CLANG").unwrap_or_else(|_| "clang".into());
    let status = Command::new(&clang)
        .args(["-O2", "-g", "-Wall", "-Werror", "-target", "bpf", "-mcpu=v3"])
        .arg(format!("-D__TARGET_ARCH_{architecture}"))
        // Where Debian keeps asm/types.h; elsewhere the folder does not exist, and that is no error.
        .arg(format!("-I/usr/include/{}-linux-gnu", env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default()))
        .arg("-c")
        .arg(format!("bpf/{name}.bpf.c"))
        .arg("-o")
        .arg(out.join(format!("{name}.bpf.o")))
        .status()
        .unwrap_or_else(|error| panic!("{clang} cannot be started ({error}); install clang and libbpf-dev"));
    assert!(status.success(), "{clang} could not compile bpf/{name}.bpf.c");
}
