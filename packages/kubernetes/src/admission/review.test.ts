import fc from "fast-check";
import { expect, test } from "vitest";
import { AdmissionError } from "./errors.ts";
import { readReview } from "./review.ts";
import { makePod, makeReview } from "./testing/make-review.ts";

const refused = (text: string) => {
  try {
    readReview(text);
    return "";
  } catch (error) {
    if (error instanceof AdmissionError && error.code === "REVIEW_INVALID") return error.message;
    throw error;
  }
};

test("a review is read, and members of newer servers are passed over", () => {
  const request = readReview(makeReview(makePod(), { dryRun: true, newMember: { deep: [1] }, name: "" }));
  expect(request).toMatchObject({ operation: "CREATE", namespace: "shop", user: "ann", dryRun: true, subResource: "" });
});

test.each([
  ["", "it is not JSON"],
  ["{}", "it is no admission.k8s.io/v1 AdmissionReview"],
  [
    '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1beta1"}',
    "it is no admission.k8s.io/v1 AdmissionReview",
  ],
  [makeReview(makePod(), { uid: "" }), "its request has no uid"],
  [makeReview(makePod(), { uid: "x".repeat(300) }), "its request has no uid"],
  [makeReview(makePod(), { operation: "PATCH" }), "its operation is not CREATE, UPDATE, DELETE or CONNECT"],
  [makeReview(makePod(), { kind: 7 }), "its request names no kind"],
  [makeReview(makePod(), { object: [] }), "its object is no object"],
  [makeReview(makePod(), { object: null }), "CREATE of Pod without an object"],
])("%.60s is refused", (text, why) => {
  expect(refused(text)).toBe(`no AdmissionReview: ${why}`);
});

test("what is nested without end, or larger than any object, is refused", () => {
  const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
  expect(refused(makeReview(makePod()).replace('"web"', deep))).toContain("nested deeper than 100");
  expect(refused(" ".repeat(21 * 1024 * 1024))).toContain("more than");
  expect(refused(`{"a":[${"0,".repeat(2_100_000)}0]}`)).toContain("more than 2000000 values");
});

test("whatever JSON comes, it is read or refused, and nothing else happens", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 3 }), (request, object) => {
      refused(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request }));
      refused(makeReview(object));
      refused(makeReview(makePod(), { userInfo: request, oldObject: object, namespace: object }));
    }),
    { numRuns: 300 },
  );
});
