import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Copies an image with skopeo. Not in step with this process: a registry that writes its log into our pipe would wait for us.
 *
 * @param target `HOST/REPOSITORY:TAG`
 */
export async function pushLayout(layout: string, target: string, options: readonly string[] = []): Promise<void> {
  await run("skopeo", ["copy", "-q", "--dest-tls-verify=false", ...options, `oci:${layout}:x`, `docker://${target}`]);
}
