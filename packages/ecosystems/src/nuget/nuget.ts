import { type Analyzer, type FileFacts, fieldsOf, textOf } from "@bulwark/model";
import { jsonOf } from "../json.ts";
import { factList } from "../language-facts.ts";

/** `*.deps.json` beside a published .NET program: the packages it was built with. */
export const nugetDeps: Analyzer = {
  id: "nuget-deps",
  version: 2,
  wants: ["**/*.deps.json"],
  read({ bytes }): FileFacts {
    const document = jsonOf(bytes);
    if (document === undefined) return { problems: ["the dependency list is not JSON"] };
    const list = factList("nuget", "installed");
    for (const [key, entry] of Object.entries(fieldsOf(fieldsOf(document).libraries))) {
      const [name = "", version = ""] = key.split("/", 2);
      const { type } = fieldsOf(entry);
      // A self-contained program carries the runtime, whose advisories name the package it came in.
      if (type === "package" || type === "runtimepack") list.add("", name.replace(/^runtimepack\./, ""), version);
    }
    return list.facts();
  },
};

/** `packages.lock.json`: what NuGet resolved for each target framework. */
export const nugetLock: Analyzer = {
  id: "nuget-lock",
  version: 1,
  wants: ["**/packages.lock.json"],
  read({ bytes }): FileFacts {
    const document = jsonOf(bytes);
    if (document === undefined) return { problems: ["the lock file is not JSON"] };
    const list = factList("nuget", "locked");
    for (const framework of Object.values(fieldsOf(fieldsOf(document).dependencies))) {
      for (const [name, entry] of Object.entries(fieldsOf(framework))) {
        const { type, resolved } = fieldsOf(entry);
        if (type !== "Project") list.add("", name, textOf(resolved));
      }
    }
    return list.facts();
  },
};
