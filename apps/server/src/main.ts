import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { CodedError } from "@bulwark/model";
import { cacheDirectory } from "@bulwark/scan/shipped/places";

const ERROR_EXIT = 2;

enableCompileCache(join(cacheDirectory(), "compiled"));

type Command = (args: readonly string[]) => Promise<number>;

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  up: async () => (await import("./commands/serve.ts")).upCommand,
  password: async () => (await import("./commands/password.ts")).passwordCommand,
  backup: async () => (await import("./commands/backup.ts")).backupCommand,
  restore: async () => (await import("./commands/backup.ts")).restoreCommand,
  keys: async () => (await import("./commands/keys.ts")).keysCommand,
  audit: async () => (await import("./commands/audit.ts")).auditCommand,
  server: async () => (await import("./commands/server.ts")).serverCommand,
};

const [name = "", ...args] = process.argv.slice(2);
try {
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) throw new CodedError("USAGE", `no command "${name}"`, "see bulwark --help");
  process.exitCode = await (await load())(args);
} catch (error) {
  process.exitCode = ERROR_EXIT;
  if (error instanceof CodedError) {
    process.stderr.write(`bulwark: ${error.message}\n${error.next === "" ? "" : `  → ${error.next}\n`}`);
    if (process.env.BULWARK_DEBUG !== undefined)
      process.stderr.write(`${String((error.cause as Error)?.stack ?? "")}\n`);
  } else {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`bulwark: this is a defect of Bulwark, please report it:\n${what}\n`);
  }
}
