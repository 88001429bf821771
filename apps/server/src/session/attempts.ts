import { isIPv6 } from "node:net";
import { countAttempt, forgetAttempts, type Store, uncountAttempt } from "@bulwark/store";
import { ServerError } from "../errors.ts";
import { sha256 } from "../security/random-secret.ts";

/** A window opens with the first failure; when it is full, nobody gets in until it ends. */
const WINDOW_MS = 15 * 60_000;
const MAX_PER_LOGIN = 10;
/** Many people share an address, but few of them forget their passwords in the same quarter of an hour. */
const MAX_PER_ADDRESS = 50;

/** One try to prove who one is, counted before it is made. */
export interface Attempt {
  /** How it ended. Failures stay counted. */
  end(how: "passed" | "unfinished"): Promise<void>;
}

/**
 * Counts a try against its login and its address. Logins that do not exist count alike, so that a lock-out does not tell
 * which ones do. The counts are kept in the database: all servers share them, and they are gone when their window ends.
 *
 * @throws ServerError `TOO_MANY_REQUESTS`
 */
export async function beginAttempt(store: Store, login: string, address: string, now: Date): Promise<Attempt> {
  const [byLogin, byAddress] = [loginKey(login), sha256(`address ${networkOf(address)}`)];
  const counts = [
    [await countAttempt(store.system, byAddress, now, WINDOW_MS), MAX_PER_ADDRESS],
    [await countAttempt(store.system, byLogin, now, WINDOW_MS), MAX_PER_LOGIN],
  ] as const;
  for (const [{ count, endsAt }, limit] of counts) if (count > limit) throw lockedOut(endsAt, now);
  return {
    async end(how) {
      await uncountAttempt(store.system, byAddress);
      // An unfinished try takes back itself alone: a right password must not wipe out the wrong codes that went before.
      if (how === "passed") await forgetAttempts(store.system, byLogin);
      else await uncountAttempt(store.system, byLogin);
    },
  };
}

/** Ends the lock-out of a login. */
export async function unlockLogin(store: Store, login: string): Promise<void> {
  await forgetAttempts(store.system, loginKey(login));
}

/** Digests, of one length whatever was sent: in place of a login people may have typed their password. */
function loginKey(login: string): string {
  return sha256(`login ${login}`);
}

/** Whoever has an IPv6 address has 2^64 of them. */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail = ""] = new URL(`http://[${address.split("%")[0]}]`).hostname.slice(1, -1).split("::");
  const [before, after] = [head, tail].map((part) => part.split(":").filter((group) => group !== ""));
  const zeros = Array<string>(8 - before!.length - after!.length).fill("0");
  return [...before!, ...zeros, ...after!].slice(0, 4).join(":");
}

function lockedOut(endsAt: Date, now: Date): ServerError {
  const minutes = Math.ceil((endsAt.getTime() - now.getTime()) / 60_000);
  return new ServerError(
    "TOO_MANY_REQUESTS",
    "too many failed attempts",
    `try again in ${minutes} minutes, or ask an administrator to unlock the account`,
  );
}
