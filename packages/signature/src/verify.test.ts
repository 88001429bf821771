import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import type { Attachment } from "./attachment.ts";
import { readSignaturePolicy, type SignaturePolicy } from "./signature-policy.ts";
import { type FakeSigstore, fakeSigstore, simplePayload, simpleSigning } from "./testing/fake-sigstore.ts";
import { verifySignatures } from "./verify.ts";

const MANIFEST = Buffer.from('{"schemaVersion":2}');
const DIGEST = `sha256:${createHash("sha256").update(MANIFEST).digest("hex")}`;
const OTHER = `sha256:${"ab".repeat(32)}`;
const IMAGE = { repository: "registry.example/team/app", digest: DIGEST, manifest: MANIFEST };
const IDENTITY = "https://ci.example/team/app/release";
const ISSUER = "https://token.example";
const SLSA = "https://slsa.dev/provenance/v1";

const keys = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const stranger = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const publicPem = String(keys.publicKey.export({ type: "spki", format: "pem" }));

async function policy(
  rule: object,
  extra: object = {},
  files: Readonly<Record<string, string>> = {},
): Promise<SignaturePolicy> {
  const text = JSON.stringify({ name: "test", rules: [{ name: "rule", ...rule }], ...extra });
  return readSignaturePolicy(text, "policy.yaml", async (path) => files[path] ?? publicPem);
}

function judge(attachments: readonly Attachment[], by: SignaturePolicy, image = IMAGE) {
  const { verified, refused } = verifySignatures(image, { attachments, problems: [] }, by);
  return { verified, codes: refused.flatMap(({ refusals }) => refusals.map(({ code }) => code)), refused };
}

const withKey = (digest: string, pair = keys) => {
  const payload = simplePayload(digest);
  return simpleSigning(payload, sign("sha256", payload, pair.privateKey));
};

describe("a signature made with a key", () => {
  test("is accepted by the key that it was made with, whichever of several that is", async () => {
    expect(judge([withKey(DIGEST)], await policy({ key: "cosign.pub" })).verified).toMatchObject([{ rule: "rule" }]);
    const both = await policy({
      key: [String(stranger.publicKey.export({ type: "spki", format: "pem" })), "cosign.pub"],
    });
    expect(judge([withKey(DIGEST)], both).codes).toEqual([]);
  });

  test.each(["rsa", "ed25519"] as const)("of %s is accepted too", async (type) => {
    const pair = type === "rsa" ? generateKeyPairSync("rsa", { modulusLength: 2048 }) : generateKeyPairSync("ed25519");
    const payload = simplePayload(DIGEST);
    const signed = simpleSigning(payload, sign(type === "rsa" ? "sha256" : null, payload, pair.privateKey));
    const pem = String(pair.publicKey.export({ type: "spki", format: "pem" }));
    expect(judge([signed], await policy({ key: pem })).codes).toEqual([]);
  });

  test("of another key is refused", async () => {
    expect(judge([withKey(DIGEST, stranger)], await policy({ key: "cosign.pub" })).codes).toEqual([
      "SIGNATURE_INVALID",
    ]);
  });

  test("of another image is refused, however genuine", async () => {
    expect(judge([withKey(OTHER)], await policy({ key: "cosign.pub" })).codes).toEqual(["OTHER_IMAGE"]);
  });

  test("over a payload that was changed afterwards is refused", async () => {
    const genuine = withKey(OTHER);
    const changed = { ...genuine, bytes: simplePayload(DIGEST) };
    expect(judge([changed], await policy({ key: "cosign.pub" })).codes).toEqual(["SIGNATURE_INVALID"]);
  });

  test("that is missing, empty or no payload of cosign's is refused with its own reason", async () => {
    const by = await policy({ key: "cosign.pub" });
    expect(judge([], by).codes).toEqual(["NOT_SIGNED"]);
    expect(judge([simpleSigning(simplePayload(DIGEST), Buffer.alloc(0))], by).codes).toEqual(["MALFORMED"]);
    const odd = Buffer.from(`{"critical":{"image":{"docker-manifest-digest":"${DIGEST}"},"type":"other"}}`);
    expect(judge([simpleSigning(odd, sign("sha256", odd, keys.privateKey))], by).codes).toEqual(["MALFORMED"]);
  });

  test("counts beside others that do not", async () => {
    expect(
      judge([withKey(OTHER), withKey(DIGEST, stranger), withKey(DIGEST)], await policy({ key: "k" })).codes,
    ).toEqual([]);
  });
});

describe("a keyless signature", () => {
  let sigstore: FakeSigstore;
  let other: FakeSigstore;
  let rule: { readonly keyless: object; readonly trustedRoot: string };
  const root = () => ({ "root.json": sigstore.trustedRoot, "other.json": other.trustedRoot });
  const by = (changes: object = {}) => policy({ ...rule, ...changes }, {}, root());
  const signed = async (
    as: { identity?: string; issuer?: string; at?: Date } = {},
    payload = simplePayload(DIGEST),
  ) => {
    const { signature, annotations } = await sigstore.signKeyless(payload, {
      identity: IDENTITY,
      issuer: ISSUER,
      ...as,
    });
    return simpleSigning(payload, signature, annotations);
  };

  beforeAll(async () => {
    [sigstore, other] = await Promise.all([fakeSigstore(), fakeSigstore()]);
    rule = { keyless: { issuer: ISSUER, identity: IDENTITY }, trustedRoot: "root.json" };
  });

  test("is accepted for the identity and the issuer of the rule", async () => {
    expect(judge([await signed()], await by()).verified).toEqual([
      { rule: "rule", place: "sha256-0.sig", identity: IDENTITY, issuer: ISSUER, predicateType: "" },
    ]);
  });

  test("is accepted by a pattern only when that fits the whole identity", async () => {
    const pattern = (identityPattern: string) => by({ keyless: { issuer: ISSUER, identityPattern } });
    expect(judge([await signed()], await pattern("https://ci\\.example/team/.*")).codes).toEqual([]);
    expect(judge([await signed()], await pattern("ci\\.example/team")).codes).toEqual(["WRONG_IDENTITY"]);
  });

  test("of another identity, or on the word of another issuer, is refused", async () => {
    expect(judge([await signed({ identity: `${IDENTITY}/evil` })], await by()).codes).toEqual(["WRONG_IDENTITY"]);
    expect(judge([await signed({ issuer: "https://evil.example" })], await by()).codes).toEqual(["WRONG_ISSUER"]);
  });

  test("of a certificate that was over when the log took it in is refused", async () => {
    const at = new Date(Date.now() - 60 * 60 * 1000);
    expect(judge([await signed({ at })], await by()).codes).toEqual(["CERTIFICATE_EXPIRED"]);
  });

  test("of an authority that the trust root does not name is refused", async () => {
    expect(judge([await signed()], await by({ trustedRoot: "other.json" })).codes).toEqual(["CERTIFICATE_UNTRUSTED"]);
  });

  test("without its log entry is refused", async () => {
    const { annotations, ...attachment } = await signed();
    const { "dev.sigstore.cosign/bundle": _, ...others } = annotations;
    expect(judge([{ ...attachment, annotations: others }], await by()).codes).toEqual(["LOG_ENTRY_MISSING"]);
  });

  test("with the log entry of another signature is refused", async () => {
    const [mine, theirs] = [await signed(), await signed()];
    const annotations = {
      ...mine.annotations,
      "dev.sigstore.cosign/bundle": theirs.annotations["dev.sigstore.cosign/bundle"]!,
    };
    expect(judge([{ ...mine, annotations }], await by()).codes).toEqual(["LOG_ENTRY_INVALID"]);
  });

  test("with a log entry whose time was changed is refused", async () => {
    const mine = await signed();
    const entry = JSON.parse(mine.annotations["dev.sigstore.cosign/bundle"]!);
    entry.Payload.integratedTime += 60;
    const annotations = { ...mine.annotations, "dev.sigstore.cosign/bundle": JSON.stringify(entry) };
    expect(judge([{ ...mine, annotations }], await by()).codes).toEqual(["LOG_ENTRY_INVALID"]);
  });

  test("is no signature with a key, nor the reverse", async () => {
    expect(judge([await signed()], await policy({ key: "k" })).codes).toEqual(["SIGNATURE_INVALID"]);
    expect(judge([withKey(DIGEST)], await by()).codes).toEqual(["WRONG_IDENTITY"]);
  });
});

describe("a bundle that signs bytes", () => {
  const bundleOver = (bytes: Uint8Array, material: object = {}): Attachment => {
    const digest = createHash("sha256").update(bytes).digest("base64");
    const signature = sign("sha256", bytes, keys.privateKey).toString("base64");
    const document = {
      mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
      verificationMaterial: { publicKey: { hint: "any" }, tlogEntries: [], ...material },
      messageSignature: { messageDigest: { algorithm: "SHA2_256", digest }, signature },
    };
    return { kind: "bundle", bytes: Buffer.from(JSON.stringify(document)), annotations: {}, place: "bundle" };
  };

  test("is accepted over the image's manifest", async () => {
    expect(judge([bundleOver(MANIFEST)], await policy({ key: "k" })).codes).toEqual([]);
  });

  test("is refused over any other bytes, also when the registry gives those, or none, for the manifest", async () => {
    const by = await policy({ key: "k" });
    for (const bytes of [Buffer.alloc(0), Buffer.from('{"schemaVersion":2,"layers":[]}')])
      expect(judge([bundleOver(bytes)], by, { ...IMAGE, manifest: bytes }).codes).toEqual(["OTHER_IMAGE"]);
    expect(judge([bundleOver(MANIFEST)], by, { ...IMAGE, digest: "" }).codes).toEqual(["OTHER_IMAGE"]);
  });

  test("counts whatever time stamps it carries when the rule asks for a key alone", async () => {
    const stamped = { timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: "MAA=" }] } };
    expect(judge([bundleOver(MANIFEST, stamped)], await policy({ key: "k" })).codes).toEqual([]);
  });
});

describe("an attestation", () => {
  const envelope = (statement: object, pair = keys): Attachment => {
    const payload = Buffer.from(JSON.stringify(statement));
    const type = "application/vnd.in-toto+json";
    const pae = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]);
    const sig = sign("sha256", pae, pair.privateKey).toString("base64");
    const document = { payloadType: type, payload: payload.toString("base64"), signatures: [{ keyid: "", sig }] };
    return { kind: "envelope", bytes: Buffer.from(JSON.stringify(document)), annotations: {}, place: "sha256-0.att" };
  };
  const statement = (digest = DIGEST, predicateType = SLSA) => ({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "app", digest: { sha256: digest.slice("sha256:".length) } }],
    predicateType,
    predicate: { runDetails: { builder: { id: "https://builder.example/v1" } } },
  });
  const where = (id: string) => ({ predicateType: SLSA, where: `predicate.runDetails.builder.id == "${id}"` });

  test("of the right kind, builder and image satisfies its rule", async () => {
    const by = await policy({ key: "k", attestation: where("https://builder.example/v1") });
    expect(judge([envelope(statement())], by).verified).toMatchObject([{ predicateType: SLSA }]);
  });

  test("of another builder, kind, image or key does not, each with its own reason", async () => {
    const by = await policy({ key: "k", attestation: where("https://builder.example/v1") });
    const strict = await policy({ key: "k", attestation: where("https://other.example") });
    expect(judge([envelope(statement())], strict).codes).toEqual(["ATTESTATION_REFUSED"]);
    expect(judge([envelope(statement(DIGEST, "https://spdx.dev/Document"))], by).codes).toEqual([
      "ATTESTATION_OTHER_KIND",
    ]);
    expect(judge([envelope(statement(OTHER))], by).codes).toEqual(["OTHER_IMAGE"]);
    expect(judge([envelope(statement(), stranger)], by).codes).toEqual(["SIGNATURE_INVALID"]);
    expect(judge([withKey(DIGEST)], by).codes).toEqual(["NOT_SIGNED"]);
  });

  test("is asked what its predicate says only once it is known who says it", async () => {
    const by = await policy({ key: "k", attestation: where("https://other.example") });
    expect(judge([envelope(statement(), stranger)], by).codes).toEqual(["SIGNATURE_INVALID"]);
  });

  test("that says a lot is refused in a sentence", async () => {
    const by = await policy({ key: "k", attestation: where("https://builder.example/v1") });
    const { refused } = judge([envelope(statement(DIGEST, `https://${"x".repeat(1_000_000)}`))], by);
    expect(refused[0]?.refusals[0]?.message.length).toBeLessThanOrEqual(500);
  });

  test("whose predicate lacks what the rule asks of it is refused, not passed", async () => {
    const by = await policy({ key: "k", attestation: { predicateType: SLSA, where: "predicate.missing.field == 1" } });
    expect(judge([envelope(statement())], by).codes).toEqual(["ATTESTATION_REFUSED"]);
  });
});

describe("a policy", () => {
  test("refuses images that none of its rules speaks of, unless it says otherwise", async () => {
    const rule = { key: "k", images: ["registry.example/other/*"] };
    expect(judge([withKey(DIGEST)], await policy(rule)).codes).toEqual(["NO_RULE"]);
    expect(judge([], await policy(rule, { others: "allow" })).codes).toEqual([]);
  });

  test("speaks of images by whole parts of their names", async () => {
    const fits = async (pattern: string) =>
      judge([withKey(DIGEST)], await policy({ key: "k", images: [pattern] })).codes.length === 0;
    expect(await Promise.all(["registry.example/team/*", "registry.example/**", "**/app"].map(fits))).toEqual([
      true,
      true,
      true,
    ]);
    expect(await Promise.all(["registry.example/*", "example/team/app", "registry?example/**"].map(fits))).toEqual([
      false,
      false,
      false,
    ]);
  });

  test("speaks of a registry however its name is spelt", async () => {
    const by = await policy({ key: "k", images: ["registry.example/team/*"] }, { others: "allow" });
    for (const host of ["Registry.Example", "registry.example:443", "REGISTRY.example:80", "registry.example:0443"])
      expect(judge([], by, { ...IMAGE, repository: `${host}/team/app` }).codes).toEqual(["NOT_SIGNED"]);
    expect(judge([], by, { ...IMAGE, repository: "registry.example:5000/team/app" }).codes).toEqual([]);
  });

  test.each([
    [{ rules: [] }, "no rules"],
    [{ rules: [{ name: "a" }] }, "either key or keyless"],
    [{ rules: [{ name: "a", key: "k", keyless: { issuer: "i", identity: "x" } }] }, "either key or keyless"],
    [{ rules: [{ name: "a", keyless: { issuer: "i" }, trustedRoot: "r" }] }, "either identity or identityPattern"],
    [{ rules: [{ name: "a", keyless: { issuer: "i", identity: "x" } }] }, 'needs "trustedRoot"'],
    [{ rules: [{ name: "a", keyless: { issuer: "i", identity: "x" }, transparencyLog: "ignored" }] }, "proves nothing"],
    [
      { rules: [{ name: "a", key: "k", attestation: { predicateType: "t", where: "predicate ==" } }] },
      "attestation of rule",
    ],
    [{ rules: [{ name: "a", key: "k", keys: [] }] }, "unknown key"],
  ])("that is wrong is refused with its place: %j", async (document, message) => {
    const text = JSON.stringify({ name: "test", ...document });
    await expect(readSignaturePolicy(text, "policy.yaml", async () => publicPem)).rejects.toMatchObject({
      code: "SIGNATURE_POLICY_INVALID",
      message: expect.stringContaining(message),
    });
  });

  test("whose key or trust root is none is refused", async () => {
    const keyless = { keyless: { issuer: "i", identity: "x" }, trustedRoot: "r" };
    await expect(policy({ key: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----" })).rejects.toMatchObject({
      code: "KEY_INVALID",
    });
    await expect(policy(keyless, {}, { r: "{}" })).rejects.toMatchObject({ code: "TRUST_ROOT_INVALID" });
    const noKey = JSON.stringify({
      tlogs: [{ baseUrl: "x", publicKey: { rawBytes: "AAAA" }, logId: { keyId: "AAAA" } }],
    });
    await expect(policy(keyless, {}, { r: noKey })).rejects.toMatchObject({ code: "TRUST_ROOT_INVALID" });
  });
});
