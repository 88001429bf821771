import type { ImageConfig } from "@bulwark/image";

/** An image configuration that says nothing but what is given. */
export function imageConfig(parts: Partial<ImageConfig>): ImageConfig {
  return {
    created: "",
    architecture: "amd64",
    os: "linux",
    variant: "",
    history: [],
    user: "",
    env: [],
    cmd: [],
    entrypoint: [],
    labels: {},
    exposedPorts: [],
    healthcheck: null,
    workingDir: "",
    volumes: [],
    stopSignal: "",
    author: "",
    ...parts,
  };
}
