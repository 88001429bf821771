import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Where everything is kept: `--data`, `BULWARK_DATA`, else the system's place for root and the user's for others. */
export function dataDirectory(given: string | undefined): string {
  const chosen = given ?? process.env.BULWARK_DATA;
  if (chosen !== undefined && chosen !== "") return resolve(chosen);
  if (process.getuid?.() === 0) return "/var/lib/bulwark";
  const xdg = process.env.XDG_DATA_HOME;
  return join(xdg !== undefined && xdg !== "" ? xdg : join(homedir(), ".local/share"), "bulwark");
}
