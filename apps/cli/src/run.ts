import packageJson from "../../../package.json" with { type: "json" };
import { ERROR_EXIT } from "./failure.ts";
import { HELP } from "./help.ts";

type Command = (args: readonly string[]) => Promise<number>;

/** Each command is loaded when it is asked for, so that none pays for another's libraries. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  scan: async () => (await import("./commands/scan.ts")).scanCommand,
  fix: async () => (await import("./commands/fix.ts")).fixCommand,
  sign: async () => (await import("./commands/sign.ts")).signCommand,
  login: async () => (await import("./commands/login.ts")).loginCommand,
  image: async () => (await import("./commands/image.ts")).imageCommand,
  golden: async () => (await import("./commands/golden.ts")).goldenCommand,
  cluster: async () => (await import("./commands/cluster.ts")).clusterCommand,
  policy: async () => (await import("./commands/policy.ts")).policyCommand,
  admission: async () => (await import("./commands/admission.ts")).admissionCommand,
  asset: async () => (await import("./commands/asset.ts")).assetCommand,
  alert: async () => (await import("./commands/alert.ts")).alertCommand,
  respond: async () => (await import("./commands/respond.ts")).respondCommand,
  benchmark: async () => (await import("./commands/benchmark.ts")).benchmarkCommand,
  sensor: async () => (await import("./commands/sensor.ts")).sensorCommand,
  export: async () => (await import("./commands/export.ts")).exportCommand,
  rules: async () => (await import("./commands/rules.ts")).rulesCommand,
  db: async () => (await import("./commands/db.ts")).databaseCommand,
};

/** Commands that bin/bulwark gives to apps/server. */
const OF_THE_SERVER = ["up", "server", "password", "backup", "restore", "audit", "keys"];

/**
 * Runs the command line.
 *
 * @param args the arguments after the program's name
 * @returns the exit status: 0 done and within policy, 1 a policy is violated, 2 the command could not do its work
 */
export async function run(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    process.stdout.write(HELP);
    return 0;
  }
  if (name === "--version" || name === "version") {
    process.stdout.write(`bulwark ${packageJson.version}\n`);
    return 0;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) {
    const known = [...Object.keys(COMMANDS), ...OF_THE_SERVER].join(", ");
    process.stderr.write(`bulwark: no command "${name}"; there are ${known}\n  → see bulwark --help\n`);
    return ERROR_EXIT;
  }
  const command = await load();
  return command(rest);
}
