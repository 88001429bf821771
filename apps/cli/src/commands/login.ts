import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { CliError } from "../failure.ts";
import { parseOptions } from "../options.ts";
import { askServer, keepAccess } from "../server-client.ts";
import { readTextFile } from "../text-files.ts";

const LOGIN_HELP = `Keeps the address of a server and an API token for later commands.

Usage: bulwark login URL [--ca-file FILE]

The token is asked for, or read from standard input or BULWARK_TOKEN: make one in the console under API tokens.

Examples:
  bulwark login https://bulwark.example.com < token.txt
  BULWARK_TOKEN=bwk_… bulwark login http://127.0.0.1:8080
`;

/** One line from whoever sits before it, who does not see it; all that there is from a file or a program. */
async function readToken(): Promise<string> {
  if (!process.stdin.isTTY) return text(process.stdin);
  process.stderr.write("API token (make one in the console under API tokens; it is not shown): ");
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return await new Promise<string>((resolve) => {
      lines.once("line", resolve);
      lines.once("SIGINT", () => lines.close());
      lines.once("close", () => resolve(""));
    });
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}

const TABLE = { "ca-file": { type: "string" }, help: { type: "boolean", short: "h" } } as const;

/** `bulwark login`: see LOGIN_HELP. */
export async function loginCommand(args: readonly string[]): Promise<number> {
  const options = parseOptions("login", args, TABLE);
  if (options.flags.has("help")) {
    process.stdout.write(LOGIN_HELP);
    return 0;
  }
  const [url] = options.positionals;
  if (url === undefined || options.positionals.length > 1 || !/^https?:\/\//.test(url)) {
    throw new CliError(
      "USAGE",
      "login: it takes the address of a server",
      "write it as https://HOST or http://HOST:PORT",
    );
  }
  const token = (process.env.BULWARK_TOKEN ?? (await readToken())).trim();
  if (token === "") {
    const next = "make one in the console under API tokens; it is read from standard input, or from BULWARK_TOKEN";
    throw new CliError("USAGE", "login: no token was given", next);
  }
  const caFile = options.text["ca-file"];
  const ca = caFile === undefined ? {} : { ca: await readTextFile(caFile, "certificate") };
  const access = { url: new URL(url).origin, token, ...ca };
  await askServer(access, "GET", "/images?limit=1");
  process.stdout.write(`${access.url} is kept in ${keepAccess(access)}\n`);
  return 0;
}
