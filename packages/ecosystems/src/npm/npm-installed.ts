import { type Analyzer, fieldsOf, textOf } from "@bulwark/model";
import { jsonOf } from "../json.ts";
import { factList } from "../language-facts.ts";
import { splitNpmName } from "./name.ts";

/** The largest manifests in the registry have some hundred KiB. */
const MAX_BYTES = 8 * 1024 * 1024;

/** Packages in `node_modules`, by the manifest of each. */
export const npmInstalled: Analyzer = {
  id: "npm-installed",
  version: 1,
  wants: ["**/node_modules/*/package.json", "**/node_modules/@*/*/package.json"],
  maxBytes: MAX_BYTES,
  read({ bytes }) {
    const document = jsonOf(bytes);
    if (document === undefined) return { problems: ["the manifest is not JSON"] };
    const manifest = fieldsOf(document);
    const list = factList("npm", "installed");
    const license = textOf(manifest.license) || textOf(fieldsOf(manifest.license).type);
    const more = license === "" ? {} : { licenses: [license] };
    list.add(...splitNpmName(textOf(manifest.name)), textOf(manifest.version), more);
    return list.facts();
  },
};
