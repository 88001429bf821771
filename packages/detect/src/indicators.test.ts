import { describe, expect, test } from "vitest";
import { createIndicatorMatcher, readIndicators } from "./indicators.ts";
import { event, process } from "./testing/events.ts";

const DIGEST = "ab".repeat(32);
const LIST = `
# a comment
203.0.113.9
203.0.113.10:8080
"198.51.100.0/24",botnet,2026
hxxp://bad[.]example/path/x.sh
*.worse.example   ; why
2001:db8::1
${DIGEST.toUpperCase()}
not an indicator
999.1.1.1
localhost
`;

test("a list is read whatever form its lines have, and what is none is counted", () => {
  const { indicators, refused } = readIndicators(LIST, "feed", null);
  expect(indicators.map(({ kind, value }) => `${kind} ${value}`)).toEqual([
    "address 203.0.113.9",
    "address 203.0.113.10",
    "network 198.51.100.0/24",
    "domain bad.example",
    "domain worse.example",
    "address 2001:db8::1",
    `sha256 ${DIGEST}`,
  ]);
  expect(refused).toBe(3);
});

describe("an indicator is found where it shows", () => {
  const { match } = createIndicatorMatcher(readIndicators(LIST, "feed", null).indicators);
  const peer = (remoteAddress: string) =>
    event("connect", { family: remoteAddress.includes(":") ? 6 : 4, remoteAddress });
  test.each([
    [peer("203.0.113.9"), "203.0.113.9"],
    [peer("::ffff:203.0.113.9"), "203.0.113.9"],
    [peer("198.51.100.200"), "198.51.100.0/24"],
    [peer("2001:0db8:0:0:0:0:0:1"), "2001:db8::1"],
    [event("dns", { dnsName: "BAD.example." }), "bad.example"],
    [event("dns", { dnsName: "x.y.worse.example" }), "worse.example"],
    [event("dns", { dnsName: "ok.example", dnsAnswers: ["1.1.1.1", "203.0.113.9"] }), "203.0.113.9"],
    [event("execve", { process: process({ exeDigest: DIGEST }) }), DIGEST],
  ])("%#", (given, value) => {
    expect(match(given, 0)?.indicator.value).toBe(value);
  });

  test.each([
    [peer("203.0.113.8")],
    [event("dns", { dnsName: "notbad.example" })],
    [event("dns", { dnsName: "example" })],
    [event("open", { process: process({ exeDigest: DIGEST }) })],
    [event("connect", { family: 1, remoteAddress: "203.0.113.9" })],
  ])("and not elsewhere: %#", (given) => {
    expect(match(given, 0)).toBeUndefined();
  });
});
