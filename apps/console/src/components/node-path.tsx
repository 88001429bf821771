import { Link } from "react-router";
import type { LineageNode } from "../api/contract.ts";
import { useSpeech } from "../i18n/language.tsx";
import { nameOfNode } from "./node-look.ts";
import { SafeText } from "./safe-text.tsx";
import { SeverityCounts } from "./severity.tsx";
import "./node-path.css";

/** What something stands on, the lowest first and itself last: each stage with its owner and what was found up to it. */
export function NodePath({ path }: { readonly path: readonly LineageNode[] }) {
  const { t } = useSpeech();
  return (
    <ol className="node-path">
      {path.map((node, depth) => (
        <li key={node.id}>
          <p className="chips">
            <Link to={`/bases?node=${node.id}&detail=${node.id}`}>
              <SafeText value={nameOfNode(node)} wrap />
            </Link>
            {node.kind === "known" ? null : <span className="tag tone-medium">{t(`baseKind.${node.kind}`)}</span>}
          </p>
          <p className="chips quiet">
            <span>{t("bases.ownLayers", { n: node.layers - (path[depth - 1]?.layers ?? 0) })}</span>
            <span>
              {t("images.owner")}: <SafeText value={node.image?.owner?.name} />
            </span>
            {node.image === null || node.image.scannedAt === null ? (
              <span>{t("bases.unscanned")}</span>
            ) : (
              <SeverityCounts counts={node.image.counts} brief />
            )}
          </p>
        </li>
      ))}
    </ol>
  );
}
