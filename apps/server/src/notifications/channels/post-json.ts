import type { Receipt, Target } from "../channel.ts";

const MAX_SHOWN = 200;
/** RFC 9110, "408 Request Timeout"; RFC 8470, "425"; RFC 6585, "429". */
const PASSING = new Set([408, 425, 429]);

/** Posts a body; tells what the status means. Answers of services that refuse with status 200 are read by `refusalOf`. */
export async function postJson(
  { outbound, signal, now }: Target,
  url: string | URL,
  body: string,
  options: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly refusalOf?: (answer: string) => Pick<Receipt & { ok: false }, "problem" | "again"> | undefined;
  } = {},
): Promise<Receipt> {
  const headers = {
    "content-type": "application/json; charset=utf-8",
    "user-agent": "bulwark",
    "content-length": String(Buffer.byteLength(body)),
    ...options.headers,
  };
  const answer = await outbound.fetch(url, { method: "POST", headers, body, signal });
  const { status } = answer;
  const text = await answer.text();
  if (status >= 200 && status < 300) {
    const refusal = options.refusalOf?.(text);
    return refusal === undefined ? { ok: true, status } : { ok: false, status, ...refusal };
  }
  if (status >= 300 && status < 400) {
    const problem = `the receiver redirects (status ${status}), which is not followed: enter the address that it leads to`;
    return { ok: false, status, problem, again: false };
  }
  const afterSeconds = retryAfter(answer.headers.get("retry-after"), now);
  const problem = `the receiver answers with status ${status}${told(text)}`;
  const again = status >= 500 || PASSING.has(status);
  return { ok: false, status, problem, again, ...(afterSeconds === undefined ? {} : { afterSeconds }) };
}

/** The code and text with which chat services refuse in an answer of status 200. */
export function refusalIn(
  text: string,
  members: { readonly code: string; readonly text: string },
  passing: ReadonlySet<number>,
): { readonly problem: string; readonly again: boolean } | undefined {
  const answer = parsed(text);
  const code = answer?.[members.code];
  if (code === 0) return undefined;
  if (typeof code !== "number")
    return { problem: `the receiver's answer is none of its service${told(text)}`, again: false };
  return {
    problem: `the receiver refuses with code ${code}${told(String(answer?.[members.text] ?? ""))}`,
    again: passing.has(code),
  };
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function told(text: string): string {
  const line = text.replace(/[\p{Cc}\s]+/gu, " ").trim();
  return line === "" ? "" : `: ${line.slice(0, MAX_SHOWN).toWellFormed()}`;
}

/** Seconds or a date (RFC 9110, "Retry-After"). */
function retryAfter(value: string | null, now: Date): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now.getTime()) / 1_000));
}

/** What holds for every address of HTTP. */
export function httpProblem({ protocol }: URL): string | undefined {
  return protocol === "https:" || protocol === "http:" ? undefined : "the address begins with https://";
}
