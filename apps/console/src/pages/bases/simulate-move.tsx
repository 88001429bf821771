import { Select } from "antd";
import { useState } from "react";
import type { LineageNode } from "../../api/contract.ts";
import { useSimulation } from "../../api/lineage.ts";
import { Loaded } from "../../components/loaded.tsx";
import { nameOfNode } from "../../components/node-look.ts";
import { useSpeech } from "../../i18n/language.tsx";
import type { Forest } from "./use-forest.ts";

/** Bases that are offered; typing finds others among all that were read. */
const OFFERED = 100;

/** What would become of critical findings if all that stands on a base stood on another. */
export function SimulateMove({ node, forest }: { readonly node: LineageNode; readonly forest: Forest }) {
  const { t } = useSpeech();
  const [onto, setOnto] = useState<number>();
  const [typed, setTyped] = useState("");
  const effect = useSimulation({ from: node.id, ...(onto === undefined ? {} : { onto }), measure: "critical" });
  return (
    <div className="stack">
      <Select
        showSearch={{ filterOption: false, onSearch: setTyped }}
        aria-label={t("bases.moveTo")}
        placeholder={t("bases.moveTo")}
        value={onto}
        options={basesLike(forest, typed, node.id)}
        onChange={setOnto}
        notFoundContent={t("filters.noneTitle")}
      />
      {onto === undefined ? (
        <p className="quiet">{t("bases.simulateHint")}</p>
      ) : (
        <Loaded query={effect} rows={1}>
          {({ images, cleared, added }) => (
            <p role="status">{t("bases.effect", { images, cleared: Math.round(cleared), added: Math.round(added) })}</p>
          )}
        </Loaded>
      )}
    </div>
  );
}

function basesLike(forest: Forest, typed: string, except: number) {
  const options: { value: number; label: string }[] = [];
  for (const node of forest.nodes()) {
    if (options.length >= OFFERED) break;
    const label = nameOfNode(node);
    if (node.id !== except && node.kind === "known" && label.toLowerCase().includes(typed.trim().toLowerCase())) {
      options.push({ value: node.id, label });
    }
  }
  return options;
}
