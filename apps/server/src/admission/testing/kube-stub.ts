import { type Fields, fieldsOf, listOf } from "@bulwark/model";
import type { KubeApi } from "../kube-api.ts";

/**
 * The little of an API server that keeping a certificate needs: versions that refuse who was late (409), and JSON Patch on the
 * bundle of webhooks. The real one plays the same in test/cluster.
 */
export interface KubeStub extends KubeApi {
  readonly objects: Map<string, Fields>;
  caBundle(path: string): string;
}

export const VALIDATING_PATH =
  "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/bulwark-admission";
export const MUTATING_PATH = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/bulwark-admission";

export function createKubeStub(): KubeStub {
  const objects = new Map<string, Fields>();
  let version = 0;
  const put = (path: string, object: Fields) => {
    const metadata = { ...fieldsOf(object.metadata), resourceVersion: String(++version) };
    const kept = { ...object, metadata };
    objects.set(path, kept);
    return kept;
  };
  for (const path of [VALIDATING_PATH, MUTATING_PATH])
    put(path, {
      webhooks: [
        { name: "pods.bulwark.dev", clientConfig: {} },
        { name: "all.bulwark.dev", clientConfig: {} },
      ],
    });
  return {
    objects,
    caBundle: (path) => {
      const bundles = listOf(objects.get(path)?.webhooks).map((each) =>
        String(fieldsOf(fieldsOf(each).clientConfig).caBundle),
      );
      return Buffer.from(bundles.every((each) => each === bundles[0]) ? (bundles[0] ?? "") : "", "base64").toString(
        "utf8",
      );
    },
    async call(method, path, body) {
      const known = objects.get(path);
      if (method === "GET") return known === undefined ? { status: 404, body: {} } : { status: 200, body: known };
      if (method === "POST") {
        const at = `${path}/${String(fieldsOf(fieldsOf(body).metadata).name)}`;
        if (objects.has(at)) return { status: 409, body: {} };
        return { status: 201, body: put(at, fieldsOf(body)) };
      }
      if (known === undefined) return { status: 404, body: {} };
      if (method === "PUT") {
        const wanted = fieldsOf(fieldsOf(body).metadata).resourceVersion;
        if (wanted !== fieldsOf(known.metadata).resourceVersion) return { status: 409, body: {} };
        return { status: 200, body: put(path, fieldsOf(body)) };
      }
      const webhooks = listOf(known.webhooks).map((webhook, at) => {
        const added = listOf(body)
          .map(fieldsOf)
          .find((each) => each.op === "add" && each.path === `/webhooks/${at}/clientConfig/caBundle`);
        return added === undefined ? webhook : { ...fieldsOf(webhook), clientConfig: { caBundle: added.value } };
      });
      return { status: 200, body: put(path, { ...known, webhooks }) };
    },
  };
}
