import { expect, test } from "vitest";
import { addCluster } from "../clusters/clusters.ts";
import { keepObjects, type SeenObject } from "../clusters/objects.ts";
import { openTestStore } from "../testing/test-store.ts";
import { namespaceObjects } from "./image-facts.ts";

test("a namespace and its services are found beside any number of routes of others", async () => {
  const { store, close } = await openTestStore();
  try {
    const now = new Date("2026-06-01T08:00:00Z");
    const object = (kind: string, namespace: string, name: string): SeenObject => ({
      ...{ uid: `${kind}-${namespace}-${name}`, apiVersion: "v1", kind, namespace, name, document: {} },
    });
    const routes = Array.from({ length: 5_000 }, (_, n) => object("Ingress", "other", `r${n}`));
    const own = [object("Ingress", "shop", "web"), object("Service", "shop", "web"), object("Namespace", "", "shop")];
    await store.tenant(1, async (db) => {
      const id = (await addCluster(db, 1, { uid: "c", name: "prod", grade: null, ownerId: null, now }))!;
      await keepObjects(db, id, { epoch: "e", objects: [...routes, ...own], now });
      const found = await namespaceObjects(db, id, "shop");
      expect(found).toHaveLength(5_000);
      expect(found.slice(0, 3).map(({ kind }) => kind)).toEqual(["Namespace", "Service", "Ingress"]);
      expect(found[2]?.namespace).toBe("shop");
    });
  } finally {
    await close();
  }
});
