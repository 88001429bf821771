import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "@bulwark/image/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScriptedGateway, type ScriptedGateway } from "./support/scripted-gateway.ts";
import { SENSOR, whyNoSensor } from "./support/sensor-process.ts";

const why = whyNoSensor();
if (why !== "") console.warn(`no sensor is killed in the middle of a fix: ${why}`);

const DONE = 1;
const UNCHANGED = 2;
const FAILED = 3;
/** A setting that changes nothing for anybody, of an interface that nobody reaches. */
const NAME = "net.ipv4.conf.lo.log_martians";
const SYSCTL = "/proc/sys/net/ipv4/conf/lo/log_martians";
const FILE = "/etc/sysctl.d/60-bulwark-net-ipv4-conf-lo-log_martians.conf";

describe.skipIf(why !== "")("a sensor that ends in the middle of a fix", () => {
  const directory = temporaryDirectory();
  let gateway: ScriptedGateway;
  let before: string;
  const value = () => readFileSync(SYSCTL, "utf8").trim();
  const fix = (fixId: string, dryRun: boolean, expected = "") => ({
    applyFix: { fixId, dryRun, sysctl: { name: NAME, value: "1" }, expectedSha256: Buffer.from(expected, "hex") },
  });
  const preview = async (fixId: string) => {
    const { outcome, facts } = await gateway.send(`preview-${fixId}`, fix(fixId, true));
    expect(outcome).toBe(DONE);
    return (JSON.parse(facts) as { before: string }).before;
  };

  beforeAll(async () => {
    before = value();
    writeFileSync(SYSCTL, "0");
    rmSync(FILE, { force: true });
    gateway = await openScriptedGateway(directory.path, SENSOR);
    await gateway.start();
  }, 60_000);
  afterAll(async () => {
    await gateway?.close();
    if (before !== undefined) {
      writeFileSync(SYSCTL, before);
      rmSync(FILE, { force: true });
    }
    directory.remove();
  });

  /** What a sensor leaves that was ended before it noted what came of an order. */
  function forget(fixId: string) {
    for (const name of readdirSync(gateway.state).filter((each) => each.startsWith("order-")))
      rmSync(join(gateway.state, name));
    rmSync(join(gateway.state, "fixes", fixId, "made"));
  }

  test("tells that the change was made when it starts again, without being asked, and gives back what was", async () => {
    const seen = await preview("f1");
    expect((await gateway.send("apply-f1", fix("f1", false, seen))).outcome).toBe(DONE);
    await gateway.end("SIGKILL");
    forget("f1");
    const told = gateway.told("apply-f1");
    await gateway.start();
    expect(await told).toMatchObject({ outcome: DONE, detail: expect.stringContaining("what was there is kept") });
    expect(value()).toBe("1");
    // The server asks again, since it knows of no answer.
    expect((await gateway.send("apply-f1", fix("f1", false, seen))).outcome).toBe(DONE);
    expect((await gateway.send("undo-f1", { undoFix: { fixId: "f1" } })).outcome).toBe(DONE);
    expect([value(), existsSync(FILE)]).toEqual(["0", false]);
    expect((await gateway.send("again-f1", { undoFix: { fixId: "f1" } })).outcome).toBe(UNCHANGED);
  });

  test("puts back what was changed by half", async () => {
    expect((await gateway.send("apply-f2", fix("f2", false, await preview("f2")))).outcome).toBe(DONE);
    await gateway.end("SIGKILL");
    forget("f2");
    // The file was in place, and the kernel's value not yet.
    writeFileSync(SYSCTL, "0");
    const told = gateway.told("apply-f2");
    await gateway.start();
    expect(await told).toMatchObject({ outcome: FAILED, detail: expect.stringContaining("everything is as it was") });
    expect([value(), existsSync(FILE)]).toEqual(["0", false]);
  });

  test("applies to nothing but what its preview saw", async () => {
    const seen = await preview("f3");
    writeFileSync(FILE, "mine = 1\n");
    expect(await gateway.send("apply-f3", fix("f3", false, seen))).toMatchObject({
      outcome: FAILED,
      detail: expect.stringContaining("preview again"),
    });
    rmSync(FILE);
    expect((await gateway.send("unseen", fix("f3", false))).outcome).toBe(FAILED);
    expect([value(), existsSync(FILE)]).toEqual(["0", false]);
  });
});
