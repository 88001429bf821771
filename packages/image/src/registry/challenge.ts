/** What a registry asks for before it answers (RFC 9110 section 11.6.1, RFC 6750 section 3). */
export type Challenge =
  | { readonly scheme: "basic" }
  | { readonly scheme: "bearer"; readonly realm: string; readonly service: string; readonly scope: string };

const MAX_HEADER_LENGTH = 8_192;
const PARAMETER = /([a-z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi;

/**
 * Reads a WWW-Authenticate header; bearer before basic where both are offered.
 *
 * @example parseChallenge('Bearer realm="https://auth.example/token",service="r"')
 */
export function parseChallenge(header: string): Challenge | undefined {
  if (header.length > MAX_HEADER_LENGTH) return undefined;
  const bearer = /(?:^|,)\s*bearer\s+/i.exec(header);
  if (bearer !== null) {
    const values = new Map<string, string>();
    for (const match of header.slice(bearer.index + bearer[0].length).matchAll(PARAMETER)) {
      const name = match[1]!.toLowerCase();
      if (!values.has(name)) values.set(name, (match[2] ?? match[3] ?? "").replaceAll(/\\(.)/g, "$1"));
    }
    const realm = values.get("realm");
    return realm === undefined
      ? undefined
      : { scheme: "bearer", realm, service: values.get("service") ?? "", scope: values.get("scope") ?? "" };
  }
  return /(?:^|,)\s*basic(?:\s|$)/i.test(header) ? { scheme: "basic" } : undefined;
}
