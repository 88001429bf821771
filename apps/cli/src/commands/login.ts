import { text } from "node:stream/consumers";
import { CliError } from "../failure.ts";
import { parseOptions } from "../options.ts";
import { askServer, keepAccess } from "../server-client.ts";
import { readTextFile } from "../text-files.ts";

const LOGIN_HELP = `Keeps the address of a server and an API token for later commands.

Usage: bulwark login URL [--ca-file FILE]

The token is read from standard input, or from BULWARK_TOKEN: make one in the console under API tokens.

Examples:
  bulwark login https://bulwark.example.com < token.txt
  BULWARK_TOKEN=bwk_… bulwark login http://127.0.0.1:8080
`;

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
    throw new CliError("USAGE", "login: it takes the address of a server", "see bulwark login --help");
  }
  const token = (process.env.BULWARK_TOKEN ?? (await text(process.stdin))).trim();
  if (token === "") throw new CliError("USAGE", "login: no token was given", "see bulwark login --help");
  const caFile = options.text["ca-file"];
  const ca = caFile === undefined ? {} : { ca: await readTextFile(caFile, "certificate") };
  const access = { url, token, ...ca };
  await askServer(access, "GET", "/images?limit=1");
  process.stdout.write(`${url} is kept in ${keepAccess(access)}\n`);
  return 0;
}
