import { createServer } from "node:net";
import { CodedError } from "@bulwark/model";

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there",
  EADDRNOTAVAIL: "this machine has no such address",
  EACCES: "this account may not listen there",
};

/**
 * Refuses an address on which a server could not listen, before anything is opened that would have to be ended again.
 *
 * @param option with which another one is chosen
 * @throws CodedError `ADDRESS_TAKEN`
 * @example await demandFreeAddress({ host: "127.0.0.1", port: 8080 }, "--listen")
 */
export async function demandFreeAddress(
  { host, port }: { readonly host: string; readonly port: number },
  option: string,
): Promise<void> {
  if (port === 0) return;
  const probe = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once("error", reject);
      probe.listen(port, host, resolve);
    });
  } catch (cause) {
    const { code = "", message } = cause as NodeJS.ErrnoException;
    const next = `choose another address with ${option} HOST:PORT, or end what is there`;
    throw new CodedError("ADDRESS_TAKEN", `cannot listen on ${host}:${port}: ${REASONS[code] ?? message}`, next, cause);
  }
  await new Promise((resolve) => probe.close(resolve));
}
