import type { Spread } from "../../api/contract.ts";
import { useSpeech } from "../../i18n/language.tsx";
import "../../components/plain-table.css";

const SEVERITIES = ["critical", "high", "medium", "low"] as const;
const FULL = 100;

/** How many bases in use have findings, and how many images stand on them. */
export function Flaws({ spread }: { readonly spread: Spread }) {
  const { t, format } = useSpeech();
  const share = (bases: number) => (spread.bases === 0 ? 0 : bases / spread.bases);
  const { any } = spread.flawed;
  return (
    <>
      <p className="spread-say">
        {t("spread.anyFlaw", { share: format.percent(share(any.bases)), images: any.images })}
      </p>
      <table className="plain-table">
        <thead>
          <tr>
            <th>{t("filters.severity")}</th>
            <th>{t("spread.basesAxis")}</th>
            <th className="numeric">{t("spread.share")}</th>
            <th className="numeric">{t("nav.images")}</th>
          </tr>
        </thead>
        <tbody>
          {SEVERITIES.map((severity) => {
            const { bases, images } = spread.flawed[severity];
            return (
              <tr key={severity}>
                <th scope="row">{t(`severity.${severity}`)}</th>
                <td className="spread-bar">
                  <span className="spread-track" aria-hidden="true">
                    <span className={`spread-fill fill-${severity}`} style={{ width: `${share(bases) * FULL}%` }} />
                  </span>
                  <span className="number">{format.number(bases)}</span>
                </td>
                <td className="numeric">{format.percent(share(bases))}</td>
                <td className="numeric">{format.number(images)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </>
  );
}
