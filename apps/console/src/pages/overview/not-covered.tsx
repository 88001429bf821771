import type { Overview } from "../../api/contract.ts";
import { Panel } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { en, type Key } from "../../i18n/en.ts";
import { useSpeech } from "../../i18n/language.tsx";

/** What nobody looks at yet, said plainly: silence must not be taken for safety. */
export function NotCovered({ areas }: { readonly areas: Overview["notCovered"] }) {
  const { t } = useSpeech();
  const nameOf = (area: string) => {
    const key = `area.${area}`;
    return Object.hasOwn(en, key) ? t(key as Key) : area;
  };
  return (
    <Panel title={t("overview.notCovered")}>
      <p className="quiet">{t(areas.length === 0 ? "overview.allCovered" : "overview.notCoveredHint")}</p>
      <ul className="not-covered">
        {areas.map(({ area, why }) => (
          <li key={area}>
            <strong>
              <SafeText value={nameOf(area)} />
            </strong>
            <SafeText value={why} wrap />
          </li>
        ))}
      </ul>
    </Panel>
  );
}
