import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { fieldsOf, RUNTIME_EVENT_TYPES, type RuntimeEvent } from "@bulwark/model";
import { CliError } from "./failure.ts";

/** Of one line: 128 KiB of arguments, escaped, with a lineage of such. */
const MAX_LINE_LENGTH = 16 * 1024 * 1024;
const TYPES: ReadonlySet<string> = new Set(RUNTIME_EVENT_TYPES);

/** What an event has that says nothing of a field. */
const EMPTY_EVENT = {
  count: 1,
  process: null,
  container: null,
  threadId: 0,
  result: 0,
  path: "",
  newPath: "",
  flags: 0,
  mode: 0,
  fd: 0,
  upperLayer: false,
  inode: 0,
  device: 0,
  family: 0,
  protocol: "",
  localAddress: "",
  localPort: 0,
  remoteAddress: "",
  remotePort: 0,
  bytesSent: 0,
  bytesReceived: 0,
  dnsName: "",
  dnsType: "",
  dnsAnswers: [],
  argument: 0,
  targetPid: 0,
  detail: "",
  blockId: "",
  targetFd: 0,
  fdKind: "unknown",
  oldCapabilities: 0,
  oldUid: 0,
} as const;

const EMPTY_PROCESS = {
  pid: 0,
  namespacePid: 0,
  startUs: 0,
  parent: null,
  name: "",
  exe: "",
  arguments: [],
  argumentsCut: 0,
  cwd: "",
  uid: 0,
  gid: 0,
  effectiveUid: 0,
  loginUid: 4_294_967_295,
  userName: "",
  sessionId: 0,
  groupLeaderPid: 0,
  tty: 0,
  effectiveCapabilities: 0,
  interpreter: "",
  exeInMemory: false,
  exeDeleted: false,
  exeDrifted: false,
  exeWritable: false,
  exeInode: 0,
  exeDigest: "",
  stdin: "unknown",
  stdout: "unknown",
  stderr: "unknown",
} as const;

const EMPTY_CONTAINER = {
  id: "",
  runtime: "",
  runtimeNamespace: "",
  name: "",
  image: "",
  imageDigest: "",
  labels: {},
  privileged: false,
  mounts: [],
  capabilities: 0,
  hostNetwork: false,
  hostPid: false,
  hostIpc: false,
  readOnlyRoot: false,
  seccomp: false,
  user: "",
  pod: "",
  podUid: "",
  namespace: "",
  kubernetesContainer: "",
  startedUs: 0,
  addresses: [],
} as const;

/**
 * Reads recorded events, one JSON object a line in the shape of `RuntimeEvent`; what a line leaves out is empty.
 *
 * @param file its path, `-` for standard input
 * @throws CliError `FILE_UNREADABLE` that names the line
 */
export async function* readEvents(file: string): AsyncGenerator<RuntimeEvent> {
  const input = file === "-" ? process.stdin : createReadStream(file);
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  const failure = new Promise<never>((_, reject) => input.once("error", reject));
  failure.catch(() => lines.close());
  let number = 0;
  try {
    for await (const line of lines) {
      number++;
      if (line.trim() !== "") yield parseEvent(line);
    }
    if (input.errored !== null) throw input.errored;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const place = number === 0 ? file : `${file}, line ${number}`;
    throw new CliError(
      "FILE_UNREADABLE",
      `events cannot be read from ${place}: ${why}`,
      "see bulwark rules --help",
      cause,
    );
  }
}

function parseEvent(line: string): RuntimeEvent {
  if (line.length > MAX_LINE_LENGTH) throw new Error(`the line is longer than ${MAX_LINE_LENGTH} characters`);
  const fields = fieldsOf(JSON.parse(line));
  if (typeof fields.type !== "string" || !TYPES.has(fields.type))
    throw new Error(`no event type: ${String(fields.type)}`);
  if (typeof fields.timeUs !== "number") throw new Error("timeUs is no number");
  const event = filled(EMPTY_EVENT, fields, "the event");
  const container =
    fields.container == null ? null : filled(EMPTY_CONTAINER, fieldsOf(fields.container), "the container");
  const given = fields.process == null ? null : parseProcess(fields.process);
  return { ...event, type: fields.type, timeUs: fields.timeUs, container, process: given } as RuntimeEvent;
}

function parseProcess(value: unknown): RuntimeEvent["process"] {
  const chain: Record<string, unknown>[] = [];
  for (let at = value; at != null; at = fieldsOf(at).parent)
    chain.push(filled(EMPTY_PROCESS, fieldsOf(at), "a process"));
  return chain.reduceRight<unknown>((parent, process) => ({ ...process, parent }), null) as RuntimeEvent["process"];
}

/** Every field of the contract, of the kind that it must be of. */
function filled<Shape extends object>(
  empty: Shape,
  given: Readonly<Record<string, unknown>>,
  what: string,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, otherwise] of Object.entries(empty)) {
    const value = given[name] ?? otherwise;
    const wrong =
      otherwise !== null && (typeof value !== typeof otherwise || Array.isArray(value) !== Array.isArray(otherwise));
    if (wrong) throw new Error(`${name} of ${what} is of another kind`);
    result[name] = value;
  }
  return result;
}
