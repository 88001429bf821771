import type { RuntimeEvent } from "@bulwark/model";
import { contains, type Network, parseAddress, parseNetwork } from "./compile/network.ts";
import { DetectError } from "./errors.ts";

/** Of one list. */
const MAX_LIST_LENGTH = 64 * 1024 * 1024;
const MAX_INDICATORS = 2_000_000;
const SHA256 = /^[0-9a-f]{64}$/;
const DOMAIN = /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]{1,62}$/;

export type IndicatorKind = "address" | "network" | "domain" | "sha256";

/** Something that is known to belong to attackers. */
export interface Indicator {
  readonly kind: IndicatorKind;
  /** An address, a network in CIDR notation, a domain (which stands for its subdomains too), a digest. */
  readonly value: string;
  /** The list that it is from. */
  readonly source: string;
  /** Microseconds since 1970; null never ends. */
  readonly untilUs: number | null;
}

export interface IndicatorHit {
  readonly indicator: Indicator;
  /** What of the event it was: an address, a name, a digest. */
  readonly seen: string;
}

export interface IndicatorMatcher {
  readonly size: number;
  readonly match: (event: RuntimeEvent, nowUs: number) => IndicatorHit | undefined;
}

/**
 * Reads a list of indicators: one a line, or the first column of a CSV; `#` and `;` begin comments; `hxxp://` and `[.]`
 * are understood. Lines that are no indicator are counted.
 *
 * @throws DetectError `INDICATORS_INVALID` when the list is too long
 */
export function readIndicators(
  text: string,
  source: string,
  untilUs: number | null,
): { readonly indicators: readonly Indicator[]; readonly refused: number } {
  if (text.length > MAX_LIST_LENGTH) {
    throw new DetectError(
      "INDICATORS_INVALID",
      `${source}: it is longer than ${MAX_LIST_LENGTH} characters`,
      "split it",
    );
  }
  const indicators: Indicator[] = [];
  let refused = 0;
  for (const line of text.split("\n")) {
    const word =
      line
        .replace(/[#;].*$/, "")
        .split(",", 1)[0]
        ?.trim()
        .replace(/^"|"$/g, "") ?? "";
    if (word === "") continue;
    const indicator = readIndicator(word);
    if (indicator === undefined) refused++;
    else indicators.push({ ...indicator, source, untilUs });
    if (indicators.length > MAX_INDICATORS) {
      throw new DetectError("INDICATORS_INVALID", `${source}: more than ${MAX_INDICATORS} indicators`, "split it");
    }
  }
  return { indicators, refused };
}

function readIndicator(word: string): Pick<Indicator, "kind" | "value"> | undefined {
  const plain = word
    .toLowerCase()
    .replaceAll("[.]", ".")
    .replace(/^h(?:tt|xx)ps?:\/\//, "")
    .replace(/^([^/]*[a-z][^/]*)\/.*$/, "$1")
    .replace(/^(?:\*\.|\.)/, "")
    .replace(/\.$/, "");
  if (SHA256.test(plain)) return { kind: "sha256", value: plain };
  if (parseAddress(plain) !== undefined) return { kind: "address", value: plain };
  if (parseNetwork(plain) !== undefined) return { kind: "network", value: plain };
  const withoutPort = plain.replace(/:\d{1,5}$/, "");
  if (parseAddress(withoutPort) !== undefined) return { kind: "address", value: withoutPort };
  return DOMAIN.test(withoutPort) ? { kind: "domain", value: withoutPort } : undefined;
}

/** Compiles indicators; a later one of the same value replaces an earlier one. */
export function createIndicatorMatcher(indicators: readonly Indicator[]): IndicatorMatcher {
  const addresses = new Map<string, Indicator>();
  const domains = new Map<string, Indicator>();
  const digests = new Map<string, Indicator>();
  const networks: (readonly [Network, Indicator])[] = [];
  for (const indicator of indicators) {
    const network =
      indicator.kind === "address" || indicator.kind === "network" ? parseNetwork(indicator.value) : undefined;
    if (indicator.kind === "sha256") digests.set(indicator.value, indicator);
    else if (indicator.kind === "domain") domains.set(indicator.value, indicator);
    else if (network?.bits === 128) addresses.set(network.words.join(), indicator);
    else if (network !== undefined) networks.push([network, indicator]);
  }

  function ofAddress(text: string): Indicator | undefined {
    const address = text === "" || addresses.size + networks.length === 0 ? undefined : parseAddress(text);
    if (address === undefined) return undefined;
    return addresses.get(address.join()) ?? networks.find(([network]) => contains(network, address))?.[1];
  }

  function ofDomain(name: string): Indicator | undefined {
    const plain = name.toLowerCase().replace(/\.$/, "");
    for (let at = 0; at >= 0 && at < plain.length; at = plain.indexOf(".", at) + 1 || -1) {
      const indicator = domains.get(plain.slice(at));
      if (indicator !== undefined) return indicator;
    }
    return undefined;
  }

  function* candidates(event: RuntimeEvent): Generator<readonly [string, Indicator | undefined]> {
    if (event.family === 4 || event.family === 6) yield [event.remoteAddress, ofAddress(event.remoteAddress)];
    if (event.dnsName !== "" && domains.size > 0) yield [event.dnsName, ofDomain(event.dnsName)];
    for (const answer of event.dnsAnswers) yield [answer, ofAddress(answer) ?? ofDomain(answer)];
    const digest = event.type === "execve" ? (event.process?.exeDigest ?? "") : "";
    if (digest !== "") yield [digest, digests.get(digest)];
  }

  return {
    size: addresses.size + networks.length + domains.size + digests.size,
    match: (event, nowUs) => {
      for (const [seen, indicator] of candidates(event)) {
        if (indicator !== undefined && (indicator.untilUs === null || nowUs < indicator.untilUs)) {
          return { indicator, seen };
        }
      }
      return undefined;
    },
  };
}
