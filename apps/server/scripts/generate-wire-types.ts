import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import { CLUSTER_PROTO_FILE } from "../src/clusters/wire.ts";
import { PROTO_FILE } from "../src/gateway/wire.ts";

/** Each contract, and where its messages and enumerations are written as TypeScript types, as `wire.ts` beside it decodes them. */
const OUTPUTS = [
  [PROTO_FILE, "../src/gateway/gen/wire-types.ts"],
  [CLUSTER_PROTO_FILE, "../src/clusters/gen/wire-types.ts"],
] as const;

const NUMBERS = /^(?:u?int|s?fixed)(?:32|64)$|^double$|^float$/;

/** Of what stands inside a message the name begins with the message's: others have members of the same name. */
function fullName(type: protobuf.ReflectionObject): string {
  return type.parent instanceof protobuf.Type ? `${fullName(type.parent)}${type.name}` : type.name;
}

function typeOf(name: string): string {
  if (NUMBERS.test(name)) return "number";
  if (name === "bool") return "boolean";
  if (name === "bytes") return "Uint8Array";
  return name;
}

function fieldType(field: protobuf.Field): string {
  const { resolvedType } = field.resolve();
  const type = resolvedType === null ? typeOf(field.type) : fullName(resolvedType);
  if (field instanceof protobuf.MapField) return `Readonly<Record<string, ${type}>>`;
  if (field.repeated) return `readonly ${type}[]`;
  return field.resolvedType instanceof protobuf.Type ? `${type} | null` : type;
}

function messageText(message: protobuf.Type): string {
  const fields = message.fieldsArray.map((field) => `  readonly ${field.name}: ${fieldType(field)};`);
  return `export interface ${fullName(message)} {\n${fields.join("\n")}\n}\n`;
}

function enumText(type: protobuf.Enum): string {
  const name = fullName(type);
  const members = Object.entries(type.values).map(([key, value]) => `  readonly ${key}: ${value};`);
  return `export type ${name} = number;\nexport interface ${name}Values {\n${members.join("\n")}\n}\n`;
}

function textsOf(namespace: protobuf.NamespaceBase): string[] {
  return namespace.nestedArray.flatMap((each) => {
    if (each instanceof protobuf.Enum) return [enumText(each)];
    const own = each instanceof protobuf.Type ? [messageText(each)] : [];
    return each instanceof protobuf.Namespace && !(each instanceof protobuf.Service) ? [...own, ...textsOf(each)] : own;
  });
}

for (const [contract, place] of OUTPUTS) {
  const root = protobuf.loadSync(contract);
  root.resolveAll();
  const output = fileURLToPath(new URL(place, import.meta.url));
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, `// Made from proto/ by scripts/generate-wire-types.ts.\n${textsOf(root).join("\n")}`);
}
