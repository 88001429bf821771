import { spawn } from "node:child_process";
import { SecurityError } from "./errors.ts";

const TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 16 * 1024;

/**
 * Runs the operator's program that wraps or unwraps a key. No shell takes part; what it prints to stderr goes to ours.
 *
 * @param argv the program and its arguments, to which `action` is added
 * @param input goes to its stdin
 * @returns what it printed, without white space around it
 * @throws SecurityError `KMS_FAILED`
 */
export async function runKmsCommand(
  argv: readonly string[],
  action: "wrap" | "unwrap",
  input: string,
): Promise<string> {
  const [program, ...args] = argv;
  if (program === undefined) throw failed("it names no program");
  const child = spawn(program, [...args, action], {
    shell: false,
    stdio: ["pipe", "pipe", "inherit"],
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(code === 0 ? "" : `it ended with ${signal ?? `status ${code}`}`));
  });
  // A program that ends without reading closes the pipe; its status tells why.
  child.stdin.on("error", () => {});
  child.stdin.end(`${input}\n`);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_OUTPUT_BYTES) {
      child.kill("SIGKILL");
      throw failed(`it printed more than ${MAX_OUTPUT_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  const problem = await ended;
  if (problem !== "") throw failed(problem);
  const output = Buffer.concat(chunks).toString("utf8").trim();
  if (output === "") throw failed("it printed nothing");
  return output;
}

function failed(why: string): SecurityError {
  return new SecurityError(
    "KMS_FAILED",
    `the KMS command failed: ${why}`,
    "run it by hand with the server's environment",
  );
}
