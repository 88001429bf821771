import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ownCertificate } from "../../commands/certificate.ts";
import type { ChannelSettings, Receipt } from "../channel.ts";
import type { Content, Message } from "../message.ts";
import { send } from "../send.ts";
import { type HttpReceiver, startHttpReceiver } from "../testing/http-receiver.ts";
import { MAIL_PASSWORD, MAIL_USER, type MailReceiver, startMailReceiver } from "../testing/mail-receiver.ts";
import { writeMessage } from "../write-message.ts";
import { CHANNELS, channelOf } from "./index.ts";

const NOW = new Date("2026-06-01T08:00:00Z");
const SECRET = "a secret of more than sixteen characters";
const TEMPLATE = JSON.stringify({
  fields: { project: { key: "SEC" }, summary: "{{subject}}", description: "{{text}}", labels: ["{{severity}}"] },
});
const HOSTILE =
  'x"}}\r\nBcc: all@example.org\r\n\r\n<script>alert(1)</script> [here](http://evil.example) <!channel> @all \u202etxt';

let http: HttpReceiver;
let mail: MailReceiver;
let directory: string;
beforeAll(async () => {
  // What every chat service here takes for success.
  http = await startHttpReceiver({ status: 200, body: '{"errcode":0,"code":0}' });
  directory = mkdtempSync(join(tmpdir(), "bulwark-mail-"));
  mail = await startMailReceiver(directory);
});
afterAll(async () => {
  await http.close();
  await mail.close();
  rmSync(directory, { recursive: true, force: true });
});

const contentOf = (name: string): Content => ({
  sections: [
    {
      event: "risk.opened",
      total: 1,
      severities: { critical: 1 },
      items: [
        {
          id: 7,
          severity: "critical",
          finding: "CVE-2026-0001",
          package: name,
          path: "",
          registry: "hub",
          repository: name,
          owner: name,
          fixedVersion: "2.0",
          exploited: true,
          due: "2026-06-08T00:00:00Z",
        },
      ],
    },
  ],
});

interface Attempt {
  readonly content?: Content;
  readonly settings?: ChannelSettings;
  readonly address?: string;
  readonly secret?: string;
  readonly withinMs?: number;
}

function attempt(kind: string, given: Attempt = {}): Promise<Receipt> {
  const isMail = kind === "email";
  const address = given.address ?? (isMail ? `smtp://127.0.0.1:${mail.port}` : `${http.url}/hook?token=t`);
  const usual: ChannelSettings = isMail
    ? {
        allowPrivate: true,
        from: "bulwark@example.org",
        to: ["team@example.org"],
        username: MAIL_USER,
        caPem: mail.caPem,
      }
    : { allowPrivate: true, template: TEMPLATE };
  const secret = given.secret ?? (isMail ? MAIL_PASSWORD : SECRET);
  const channel = {
    kind: channelOf(kind).kind,
    settings: { ...usual, ...given.settings } as Readonly<Record<string, unknown>>,
  };
  const content = given.content ?? contentOf("openssl");
  const message = {
    id: "1-7",
    at: NOW.toISOString(),
    recipient: "",
    content,
    publicUrl: "https://bulwark.example.org",
  };
  return send(channel, () => ({ address, secret }), message, { now: NOW, withinMs: given.withinMs ?? 5_000 });
}

const last = () => http.received.at(-1)!;
const KINDS = CHANNELS.map(({ kind }) => kind);
const OVER_HTTP = KINDS.filter((kind) => kind !== "email");

describe("every channel", () => {
  test.each(KINDS)("%s delivers what happened, in which place, and how bad it is", async (kind) => {
    expect(await attempt(kind)).toMatchObject({ ok: true });
    const sent = kind === "email" ? mail.received.at(-1)!.text : last().body;
    for (const part of ["1 new risk", "CVE-2026-0001", "openssl", "hub/openssl"]) expect(sent).toContain(part);
  });

  test.each(KINDS)("%s has an interface of four members at most, and refuses an address of another scheme", (kind) => {
    const channel = channelOf(kind);
    expect(Object.keys(channel).length).toBeLessThanOrEqual(4);
    const settings = { template: TEMPLATE, from: "a@example.org", to: ["b@example.org"], username: "x" };
    expect(channel.check(new URL("ftp://example.org/"), settings, SECRET)).toMatch(/address|begins/);
  });

  test.each(KINDS)("%s gives up on a receiver that never answers, and tries again later", async (kind) => {
    if (kind === "email") mail.answerNext("hang");
    else http.answerNext("hang");
    const receipt = await attempt(kind, { withinMs: 300 });
    expect(receipt).toMatchObject({ ok: false, again: true, problem: expect.stringContaining("does not answer") });
  });

  test.each(KINDS)("%s does not call a private address that nobody allowed", async (kind) => {
    const before = http.received.length + mail.received.length;
    const receipt = await attempt(kind, { settings: { allowPrivate: false } });
    expect(receipt).toMatchObject({ ok: false, again: false, problem: expect.stringContaining("private network") });
    expect(http.received.length + mail.received.length).toBe(before);
  });

  test.each(KINDS)("%s never calls the metadata service of a cloud, whatever is allowed", async (kind) => {
    const address = kind === "email" ? "smtp://169.254.169.254:25" : "http://169.254.169.254/latest/meta-data/";
    expect(await attempt(kind, { address })).toMatchObject({ ok: false, again: false });
  });

  test.each(KINDS)("%s lets no name break out of its text", async (kind) => {
    expect(await attempt(kind, { content: contentOf(HOSTILE) })).toMatchObject({ ok: true });
    const sent = kind === "email" ? mail.received.at(-1)!.text : last().body;
    if (kind === "email") {
      const [head = ""] = sent.split(/\r\n\r\n/, 1);
      const html = sent.slice(sent.indexOf("<!doctype html>")).replaceAll("=\r\n", "");
      expect(head).not.toMatch(/^bcc:/im);
      expect(mail.received.at(-1)?.to).toEqual(["team@example.org"]);
      expect(html).toContain("&lt;script&gt;");
      expect(html).not.toContain("<script>");
      return;
    }
    const parsed = JSON.parse(sent);
    if (kind !== "webhook") expect(JSON.stringify(parsed)).not.toMatch(/\\r|\u202e/);
    if (kind === "slack") expect(parsed.text).not.toContain("<!channel>");
    if (kind === "issue") expect(Object.keys(parsed.fields)).toEqual(["project", "summary", "description", "labels"]);
  });
});

describe("every channel over HTTP", () => {
  test.each(OVER_HTTP)("%s tries again what failed on the other side, and not what is refused", async (kind) => {
    for (const [status, again] of [
      [500, true],
      [503, true],
      [400, false],
      [404, false],
      [401, false],
    ] as const) {
      http.answerNext({ status, body: "why\nnot" });
      expect(await attempt(kind)).toMatchObject({
        ok: false,
        status,
        again,
        problem: expect.stringContaining("why not"),
      });
    }
  });

  test.each(OVER_HTTP)("%s waits as long as a busy receiver asks for", async (kind) => {
    http.answerNext({ status: 429, headers: { "retry-after": "90" } });
    expect(await attempt(kind)).toMatchObject({ ok: false, again: true, afterSeconds: 90 });
    http.answerNext({ status: 503, headers: { "retry-after": "Mon, 01 Jun 2026 08:02:00 GMT" } });
    expect(await attempt(kind)).toMatchObject({ ok: false, again: true, afterSeconds: 120 });
  });

  test.each(OVER_HTTP)("%s follows no redirect", async (kind) => {
    const before = http.received.length;
    http.answerNext({ status: 302, headers: { location: "http://169.254.169.254/latest/meta-data/" } });
    expect(await attempt(kind)).toMatchObject({ ok: false, status: 302, again: false });
    http.answerNext({ status: 307, headers: { location: `${http.url}/elsewhere` } });
    expect(await attempt(kind)).toMatchObject({ ok: false, status: 307, again: false });
    expect(http.received.length).toBe(before + 2);
  });
});

test("a receiver of a webhook can verify who sent it, and when", async () => {
  await attempt("webhook");
  const { headers, body } = last();
  const [, seconds, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers["x-bulwark-signature"]))!;
  expect(Number(seconds)).toBe(NOW.getTime() / 1_000);
  expect(createHmac("sha256", SECRET).update(`${seconds}.${body}`).digest("hex")).toBe(signature);
  expect(headers["x-bulwark-delivery"]).toBe("1-7");
  expect(JSON.parse(body)).toMatchObject({ id: "1-7", sections: [{ event: "risk.opened", total: 1 }] });
});

test("a robot of DingTalk can verify the signature in the address", async () => {
  await attempt("dingtalk");
  const { searchParams } = new URL(last().path, http.url);
  const signed = createHmac("sha256", SECRET)
    .update(`${searchParams.get("timestamp")}\n${SECRET}`)
    .digest("base64");
  expect(searchParams.get("sign")).toBe(signed);
  expect(searchParams.get("token")).toBe("t");
});

test("a bot of Feishu can verify the signature in the body", async () => {
  await attempt("feishu");
  const { timestamp, sign } = JSON.parse(last().body);
  expect(Number(timestamp)).toBe(NOW.getTime() / 1_000);
  expect(sign).toBe(createHmac("sha256", `${timestamp}\n${SECRET}`).digest("base64"));
});

test.each([
  ["dingtalk", '{"errcode":310000,"errmsg":"sign not match"}', false],
  ["dingtalk", '{"errcode":130101,"errmsg":"send too fast"}', true],
  ["wecom", '{"errcode":93000,"errmsg":"invalid webhook url"}', false],
  ["wecom", '{"errcode":45009,"errmsg":"api freq out of limit"}', true],
  ["feishu", '{"code":19021,"msg":"sign match fail"}', false],
  ["feishu", '{"code":11232,"msg":"too many request"}', true],
  ["wecom", "<html>a login page</html>", false],
])("a refusal of %s with status 200 is none the less a refusal: %s", async (kind, body, again) => {
  http.answerNext({ status: 200, body });
  expect(await attempt(kind)).toMatchObject({ ok: false, status: 200, again });
});

test("long lists fit into what WeCom takes", async () => {
  const [section] = contentOf("a package with a long name").sections;
  const items = Array.from({ length: 20 }, () => section!.items[0]!);
  expect(await attempt("wecom", { content: { sections: [{ ...section!, total: 500, items }] } })).toMatchObject({
    ok: true,
  });
  const { content } = JSON.parse(last().body).text;
  expect(Buffer.byteLength(content)).toBeLessThanOrEqual(2_048);
  expect(content).toContain("…");
});

describe("e-mail", () => {
  test("goes by STARTTLS, logs in, and has the receivers of the channel", async () => {
    await attempt("email");
    expect(mail.received.at(-1)).toMatchObject({ secure: true, user: MAIL_USER, to: ["team@example.org"] });
  });

  test("is not sent to a server whose certificate nobody trusts, or that has no TLS", async () => {
    const count = mail.received.length;
    const elsewhere = mkdtempSync(join(tmpdir(), "bulwark-mail-"));
    const { cert: caPem } = await ownCertificate(elsewhere, new Date());
    rmSync(elsewhere, { recursive: true });
    expect(await attempt("email", { settings: { caPem } })).toMatchObject({ ok: false });
    const bare = await startMailReceiver(directory, { disabledCommands: ["STARTTLS"], allowInsecureAuth: true });
    expect(await attempt("email", { address: `smtp://127.0.0.1:${bare.port}` })).toMatchObject({ ok: false });
    expect(bare.received.length + mail.received.length).toBe(count);
    await bare.close();
  });

  test("speaks TLS from the start where the address says so", async () => {
    const secure = await startMailReceiver(directory, { secure: true });
    const address = `smtps://127.0.0.1:${secure.port}`;
    expect(await attempt("email", { address, settings: { caPem: secure.caPem } })).toMatchObject({ ok: true });
    expect(secure.received).toHaveLength(1);
    await secure.close();
  });

  test("that a server refuses for good is not sent again; what it refuses for now is", async () => {
    expect(await attempt("email", { secret: "wrong" })).toMatchObject({ ok: false, status: 535, again: false });
    mail.answerNext(451);
    expect(await attempt("email")).toMatchObject({ ok: false, status: 451, again: true });
    mail.answerNext(554);
    expect(await attempt("email")).toMatchObject({ ok: false, status: 554, again: false });
  });

  test("sends no password without TLS", () => {
    const settings = { from: "a@example.org", to: ["b@example.org"], username: "u", allowPrivate: true };
    expect(channelOf("email").check(new URL("smtp+plain://relay:25"), settings, "p")).toMatch(/without TLS/);
  });
});

test("a template with an unknown placeholder, or that is no JSON, is refused before it is kept", () => {
  const check = (template: string) => channelOf("issue").check(new URL("https://jira.example.org"), { template }, "");
  expect(check('{"a":"{{nothing}}"}')).toMatch(/nothing/);
  expect(check("{")).toMatch(/JSON/);
  expect(check("[]")).toMatch(/JSON/);
  expect(check('{"a":"{{subject}}"}')).toBeUndefined();
});

test("issues are made with a user's or a bearer's token", async () => {
  await attempt("issue");
  expect(last().headers.authorization).toBe(`Bearer ${SECRET}`);
  await attempt("issue", { settings: { username: "bot" } });
  expect(last().headers.authorization).toBe(`Basic ${Buffer.from(`bot:${SECRET}`).toString("base64")}`);
});

test("messages are written in English and in Chinese, with the same things in them", () => {
  const about = { id: "1", at: NOW.toISOString(), publicUrl: "https://bulwark.example.org" };
  const en: Message = writeMessage(contentOf("openssl"), { ...about, language: "en" });
  const zh: Message = writeMessage(contentOf("openssl"), { ...about, language: "zh" });
  expect(en.subject).toBe("[Bulwark] 1 new risk: CVE-2026-0001 openssl");
  expect(zh.subject).toBe("[Bulwark] 新增 1 个风险: CVE-2026-0001 openssl");
  expect(zh.lines[0]).toContain("严重");
  expect(zh.link).toBe("https://bulwark.example.org/risks/7");
});
