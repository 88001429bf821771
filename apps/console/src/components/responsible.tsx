import { Link } from "react-router";
import type { Risk } from "../api/contract.ts";
import { useSpeech } from "../i18n/language.tsx";
import { SafeText } from "./safe-text.tsx";
import { TwoLines } from "./two-lines.tsx";

/** Who must act on a risk, as a cell of a table: whoever builds the layer that brings it. */
export function ResponsibleCell({ responsible }: { readonly responsible: Risk["responsible"] }) {
  const { t } = useSpeech();
  if (responsible === null) return <span className="quiet">{t("none")}</span>;
  return (
    <TwoLines second={<SafeText value={responsible.owner?.name} />}>
      <span>{t(`verdict.${responsible.verdict}`)}</span>
    </TwoLines>
  );
}

/** Who must act on a risk, and what the others do meanwhile. */
export function Responsible({ responsible }: { readonly responsible: Risk["responsible"] }) {
  const { t } = useSpeech();
  if (responsible === null) return <span className="quiet">{t("risk.undecided")}</span>;
  const { verdict, image, digest, owner } = responsible;
  return (
    <div className="stack">
      <span className="chips">
        <span className={`tag ${verdict === "base" ? "tone-low" : "tone-high"}`}>{t(`verdict.${verdict}`)}</span>
        <SafeText value={owner?.name} />
      </span>
      {image === null ? null : digest === null ? (
        <SafeText value={image} wrap />
      ) : (
        <Link to={`/images/${encodeURIComponent(digest)}`}>
          <SafeText value={image} wrap />
        </Link>
      )}
      <p className="quiet">{t(verdict === "base" ? "risk.waitFor" : "risk.fixHere")}</p>
    </div>
  );
}
