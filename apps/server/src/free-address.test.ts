import { createServer } from "node:net";
import { expect, test } from "vitest";
import { demandFreeAddress } from "./free-address.ts";

test("an address that another program has is refused with the option that chooses another one", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as { port: number };
  const asked = () => demandFreeAddress({ host: "127.0.0.1", port }, "--gateway");
  await expect(asked()).rejects.toMatchObject({
    message: `cannot listen on 127.0.0.1:${port}: another program listens there`,
    next: expect.stringContaining("--gateway HOST:PORT"),
  });
  await new Promise((resolve) => other.close(resolve));
  await asked();
  await demandFreeAddress({ host: "127.0.0.1", port: 0 }, "--listen");
  await expect(demandFreeAddress({ host: "192.0.2.1", port: 1 }, "--listen")).rejects.toThrow("no such address");
});
