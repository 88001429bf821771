import { expect, test } from "vitest";
import { homeOf } from "./server-client.ts";

test("the home of whoever called sudo is read off the passwd file", () => {
  const passwd = "root:x:0:0:root:/root:/bin/bash\nada.l:x:1000:1000:Ada,,,:/home/ada:/bin/sh\n";
  expect(homeOf("ada.l", passwd)).toBe("/home/ada");
  expect(homeOf("ada", passwd)).toBeUndefined();
  expect(homeOf("", passwd)).toBeUndefined();
});
