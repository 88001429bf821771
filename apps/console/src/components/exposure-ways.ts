import type { Speech } from "../i18n/language.tsx";
import type { Way } from "./way-graph.tsx";

interface Reached {
  readonly id: number;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly exposure: readonly Readonly<Record<string, unknown>>[];
}

/** The ways from outside to workloads, as the server found them, in the chosen language. */
export function waysTo(workloads: readonly Reached[], { t, nameOf }: Pick<Speech, "t" | "nameOf">): readonly Way[] {
  return workloads.flatMap(({ id, kind, namespace, name, exposure }) =>
    exposure.map((by, n) => {
      const via = Array.isArray(by.via) ? by.via.map(String) : [];
      const hosts = Array.isArray(by.hosts) ? by.hosts.map(String).join(", ") : "";
      return {
        id: `${id} ${n}`,
        steps: [
          { kind: "internet", name: t("clusters.internet"), how: "" },
          { kind: "way", name: nameOf("exposureWay", String(by.how ?? "")), how: hosts },
          ...via.map((each) => ({ kind: "via", name: each, how: "" })),
          { kind: "workload", name: `${namespace}/${name}`, how: kind },
        ],
      };
    }),
  );
}
