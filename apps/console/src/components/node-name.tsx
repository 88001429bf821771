import { Link } from "react-router";
import type { LineageNode } from "../api/contract.ts";
import { useSpeech } from "../i18n/language.tsx";
import { nameOfNode } from "./node-look.ts";
import { SafeText } from "./safe-text.tsx";
import { TwoLines } from "./two-lines.tsx";

/** A base as a cell of a table, linked to its place in the forest; one that may not be seen is told by its number. */
export function NodeName({ id, node }: { readonly id: number; readonly node: LineageNode | null }) {
  const { t } = useSpeech();
  if (node === null) return <span className="quiet">{t("bases.hidden")}</span>;
  return (
    <TwoLines
      second={
        <>
          {t(`baseKind.${node.kind}`)} · {t("bases.layerCount", { n: node.layers })}
        </>
      }
    >
      <Link to={`/bases?node=${id}&detail=${id}`}>
        <SafeText value={nameOfNode(node)} />
      </Link>
    </TwoLines>
  );
}
