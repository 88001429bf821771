import type { Overview } from "../../api/contract.ts";
import { Panel } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";

/** What nobody looks at yet, said plainly: silence must not be taken for safety. */
export function NotCovered({ areas }: { readonly areas: Overview["notCovered"] }) {
  const { t, nameOf } = useSpeech();
  return (
    <Panel title={t("overview.notCovered")}>
      <p className="quiet">{t(areas.length === 0 ? "overview.allCovered" : "overview.notCoveredHint")}</p>
      <ul className="not-covered">
        {areas.map(({ function: part, area }) => (
          <li key={`${part}|${area}`}>
            <strong>{nameOf("csf", part)}</strong>
            <SafeText value={nameOf("area", area)} wrap />
          </li>
        ))}
      </ul>
    </Panel>
  );
}
