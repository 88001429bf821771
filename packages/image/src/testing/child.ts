import { type ChildProcess, spawn } from "node:child_process";

/** A server that runs beside a test. */
export interface ChildServer {
  readonly pid: number;
  /** What `ready` matched in its output. */
  readonly ready: RegExpExecArray;
  stop(): Promise<void>;
}

/**
 * Starts a program and waits until its output holds `ready`.
 *
 * @throws when it ends before, with what it wrote
 */
export async function startChild(
  program: string,
  args: readonly string[],
  ready: RegExp,
  env: NodeJS.ProcessEnv = process.env,
): Promise<ChildServer> {
  const child: ChildProcess = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env });
  let output = "";
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const match = await new Promise<RegExpExecArray>((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-100_000);
      const found = ready.exec(output);
      if (found !== null) resolve(found);
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    child.once("error", reject);
    child.once("close", (status) => reject(new Error(`${program} ended with ${status}: ${output}`)));
  });
  return {
    pid: child.pid ?? -1,
    ready: match,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
