import fc from "fast-check";
import { expect, test } from "vitest";
import { createOutbox, type OutboxBatch } from "./outbox.ts";

const UIDS = [..."abcdefgh"];

const object = (uid: string, document = "{}") => ({
  ...{ uid, apiVersion: "v1", kind: "Pod", namespace: "shop", name: uid, document: Buffer.from(document) },
});

test("of each object only what is newest goes", () => {
  const outbox = createOutbox(10);
  outbox.changed(object("a", "1"));
  outbox.changed(object("a", "2"));
  outbox.changed(object("b"));
  outbox.removed("b");
  expect(outbox.take()).toMatchObject({
    changed: [{ uid: "a", document: Buffer.from("2") }],
    removed: ["b"],
    synced: [],
  });
  expect(outbox.isEmpty).toBe(true);
});

test("a kind is complete with the last of its objects and not before", () => {
  const outbox = createOutbox(10_000);
  for (let n = 0; n < 700; n++) outbox.changed(object(`o${n}`));
  outbox.synced("v1/Pod");
  outbox.changed(object("later"));
  expect(outbox.take()!.synced).toEqual([]);
  expect(outbox.take()!.synced).toEqual(["v1/Pod"]);
});

test("a kind is not complete while objects that were under way when it was are put back", () => {
  const outbox = createOutbox(10_000);
  for (let n = 0; n < 600; n++) outbox.changed(object(`o${n}`));
  const flying = outbox.take()!;
  outbox.synced("v1/Pod");
  outbox.putBack(flying);
  expect(outbox.take()).toMatchObject({ synced: [] });
  expect(outbox.take()).toMatchObject({ synced: ["v1/Pod"] });
});

test("an object that is larger than a batch goes by itself", () => {
  const outbox = createOutbox(10);
  outbox.changed(object("large", "x".repeat(2_000_000)));
  outbox.changed(object("small"));
  expect(outbox.take()!.changed.map(({ uid }) => uid)).toEqual(["large"]);
  expect(outbox.take()!.changed.map(({ uid }) => uid)).toEqual(["small"]);
});

test("whatever is cut, put back and changed meanwhile: the server ends with what is, and a kind is complete only then", () => {
  const step = fc.oneof(
    fc.record({ what: fc.constant("change" as const), uid: fc.constantFrom(...UIDS), value: fc.nat(9) }),
    fc.record({ what: fc.constant("remove" as const), uid: fc.constantFrom(...UIDS) }),
    fc.constant({ what: "send" as const }),
    fc.constant({ what: "cut" as const }),
    fc.constant({ what: "sync" as const }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const outbox = createOutbox(100);
      const truth = new Map<string, string>();
      const server = new Map<string, string>();
      const gone = new Set<string>();
      let truthAtSync: ReadonlySet<string> | undefined;
      let flying: OutboxBatch[] = [];
      const deliver = (batch: OutboxBatch) => {
        for (const { uid, document } of batch.changed) server.set(uid, document.toString());
        for (const uid of batch.removed) server.delete(uid);
        if (batch.synced.length > 0 && truthAtSync !== undefined)
          for (const uid of truthAtSync) if (truth.has(uid)) expect(server.has(uid)).toBe(true);
      };
      for (const each of steps) {
        if (each.what === "change") {
          // A uid that is gone never comes back.
          if (gone.has(each.uid)) continue;
          truth.set(each.uid, String(each.value));
          outbox.changed(object(each.uid, String(each.value)));
        } else if (each.what === "remove") {
          truth.delete(each.uid);
          gone.add(each.uid);
          outbox.removed(each.uid);
        } else if (each.what === "sync") {
          if (truthAtSync !== undefined) continue;
          truthAtSync = new Set(truth.keys());
          outbox.synced("v1/Pod");
        } else if (each.what === "cut") {
          for (const batch of flying.toReversed()) outbox.putBack(batch);
          flying = [];
        } else {
          const batch = outbox.take();
          if (batch !== undefined) flying.push(batch);
          // The first of two is stored and acknowledged.
          if (flying.length > 1) deliver(flying.shift()!);
        }
      }
      for (const batch of flying.toReversed()) outbox.putBack(batch);
      for (let batch = outbox.take(); batch !== undefined; batch = outbox.take()) deliver(batch);
      expect(Object.fromEntries(server)).toEqual(Object.fromEntries(truth));
    }),
    { numRuns: 2_000 },
  );
});
