import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import { PROTO_FILE } from "../src/gateway/wire.ts";

/** Writes the contract's messages and enumerations as TypeScript types, as `wire.ts` decodes them. */
const OUTPUT = fileURLToPath(new URL("../src/gateway/gen/wire-types.ts", import.meta.url));

const NUMBERS = /^(?:u?int|s?fixed)(?:32|64)$|^double$|^float$/;

function typeOf(name: string): string {
  if (NUMBERS.test(name)) return "number";
  if (name === "bool") return "boolean";
  if (name === "bytes") return "Uint8Array";
  return name;
}

function fieldType(field: protobuf.Field): string {
  const type = typeOf(field.resolve().resolvedType?.name ?? field.type);
  if (field instanceof protobuf.MapField) return `Readonly<Record<string, ${type}>>`;
  if (field.repeated) return `readonly ${type}[]`;
  return field.resolvedType instanceof protobuf.Type ? `${type} | null` : type;
}

function messageText(message: protobuf.Type): string {
  const fields = message.fieldsArray.map((field) => `  readonly ${field.name}: ${fieldType(field)};`);
  return `export interface ${message.name} {\n${fields.join("\n")}\n}\n`;
}

function enumText({ name, values }: protobuf.Enum): string {
  const members = Object.entries(values).map(([key, value]) => `  readonly ${key}: ${value};`);
  return `export type ${name} = number;\nexport interface ${name}Values {\n${members.join("\n")}\n}\n`;
}

function textsOf(namespace: protobuf.NamespaceBase): string[] {
  return namespace.nestedArray.flatMap((each) => {
    if (each instanceof protobuf.Enum) return [enumText(each)];
    const own = each instanceof protobuf.Type ? [messageText(each)] : [];
    return each instanceof protobuf.Namespace && !(each instanceof protobuf.Service) ? [...own, ...textsOf(each)] : own;
  });
}

const root = protobuf.loadSync(PROTO_FILE);
root.resolveAll();
mkdirSync(fileURLToPath(new URL(".", `file://${OUTPUT}`)), { recursive: true });
writeFileSync(OUTPUT, `// Made from proto/ by scripts/generate-wire-types.ts.\n${textsOf(root).join("\n")}`);
