import type { FastifyReply, FastifyRequest } from "fastify";

export const SESSION_COOKIE = "bulwark_session";

export interface CookieOptions {
  readonly path: string;
  readonly sameSite: "Strict" | "Lax";
  readonly maxAgeS: number;
}

/** Value of a cookie of the request; undefined when it has none, or more than one of that name (RFC 6265, section 5.4). */
export function readCookie(request: FastifyRequest, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim());
  const values = pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
  return values.length === 1 ? values[0] : undefined;
}

/** Sets a cookie that scripts cannot read, and that goes over TLS only where the request came over TLS. */
export function setCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  value: string,
  options: CookieOptions,
): void {
  const parts = [`${name}=${value}`, `Path=${options.path}`, `Max-Age=${options.maxAgeS}`, "HttpOnly"];
  parts.push(`SameSite=${options.sameSite}`);
  if (request.protocol === "https") parts.push("Secure");
  reply.header("set-cookie", parts.join("; "));
}

export function clearCookie(request: FastifyRequest, reply: FastifyReply, name: string, path = "/"): void {
  setCookie(request, reply, name, "", { path, sameSite: "Strict", maxAgeS: 0 });
}
