/** Parts `@scope/name` into scope and name; the scope is empty for plain names. */
export function splitNpmName(full: string): readonly [scope: string, name: string] {
  const slash = full.indexOf("/");
  return full.startsWith("@") && slash > 0 ? [full.slice(0, slash), full.slice(slash + 1)] : ["", full];
}
