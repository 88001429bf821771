import type { Channel } from "../channel.ts";
import type { Message } from "../message.ts";
import { httpProblem, postJson } from "./post-json.ts";

const MAX_DEPTH = 20;
const PLACEHOLDER = /\{\{\s*([a-zA-Z]+)\s*\}\}/g;

/** Makes an issue of each message, at any REST address, by a template of JSON: Jira, GitLab, GitHub and others like them. */
export const issue: Channel = {
  kind: "issue",
  check(address, { template }) {
    if (template === undefined) return "an issue is made of a template: enter one in JSON";
    const body = parsed(template);
    if (body === undefined) return "the template is no JSON object";
    const unknown = placeholdersOf(template).find((name) => !Object.hasOwn(PLACEHOLDERS, name));
    if (unknown !== undefined) {
      return `the template's {{${unknown}}} is none of ${Object.keys(PLACEHOLDERS).join(", ")}`;
    }
    return httpProblem(address);
  },
  async send(target, message) {
    const { template = "{}", username } = target.settings;
    const body = JSON.stringify(filled(parsed(template) ?? {}, message, 0));
    const { secret } = target;
    const authorization =
      username === undefined ? `Bearer ${secret}` : `Basic ${Buffer.from(`${username}:${secret}`).toString("base64")}`;
    return postJson(target, target.address, body, { headers: secret === "" ? {} : { authorization } });
  },
};

/** What a template may hold between double braces. */
const PLACEHOLDERS: Readonly<Record<string, (message: Message) => string>> = {
  id: ({ id }) => id,
  at: ({ at }) => at,
  subject: ({ subject }) => subject,
  text: ({ lines }) => lines.join("\n"),
  link: ({ link }) => link,
  event: ({ sections }) => sections.map(({ event }) => event).join(", "),
  total: ({ sections }) => String(sections.reduce((sum, { total }) => sum + total, 0)),
  severity: (message) => first(message, "severity"),
  finding: (message) => first(message, "finding"),
  package: (message) => first(message, "package"),
  repository: (message) => first(message, "repository"),
  owner: (message) => first(message, "owner"),
  due: (message) => first(message, "due"),
};

function first({ sections }: Message, member: string): string {
  return String(sections[0]?.items[0]?.[member] ?? "");
}

/** Fills in the texts of a template that was parsed before: nothing that is filled in can leave its text. */
function filled(value: unknown, message: Message, depth: number): unknown {
  if (depth > MAX_DEPTH) return null;
  if (typeof value === "string") {
    return value.replace(PLACEHOLDER, (_whole, name: string) => PLACEHOLDERS[name]?.(message) ?? "");
  }
  if (Array.isArray(value)) return value.map((each) => filled(each, message, depth + 1));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, filled(each, message, depth + 1)]));
}

function placeholdersOf(template: string): readonly string[] {
  return [...template.matchAll(PLACEHOLDER)].map(([, name = ""]) => name);
}

function parsed(template: string): object | undefined {
  try {
    const value: unknown = JSON.parse(template);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
