/** Parts of an image reference, as checks see them; empty text where a part is missing. */
export interface ReferenceParts {
  /** `docker.io` where none is written. */
  readonly registry: string;
  /** `library/alpine` for `alpine`. */
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

const DEFAULT_REGISTRY = "docker.io";

/**
 * Takes a reference apart by the rules of the distribution project's grammar: the first part is a registry when it has
 * a dot or a port, or is `localhost`.
 *
 * @example referenceParts("alpine:3.20"); // { registry: "docker.io", repository: "library/alpine", tag: "3.20", digest: "" }
 */
export function referenceParts(reference: string): ReferenceParts {
  const [name = "", digest = ""] = reference.split("@", 2);
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const hasRegistry = first.includes(".") || first.includes(":") || first === "localhost";
  const rest = hasRegistry ? name.slice(slash + 1) : name;
  const colon = rest.lastIndexOf(":");
  const tag = colon > rest.lastIndexOf("/") ? rest.slice(colon + 1) : "";
  const path = tag === "" && colon <= rest.lastIndexOf("/") ? rest : rest.slice(0, colon);
  const registry = hasRegistry ? first.replace(/^index\.docker\.io$/, DEFAULT_REGISTRY) : DEFAULT_REGISTRY;
  const official = registry === DEFAULT_REGISTRY && !path.includes("/");
  return { registry, repository: official ? `library/${path}` : path, tag, digest };
}
