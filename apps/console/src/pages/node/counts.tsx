import type { Health } from "../../api/runtime-facts.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import "../../components/plain-table.css";

/** Events since the sensor started, by kind: seen, left out because no rule needs them, and lost. */
export function EventCounts({ health }: { readonly health: Health | null }) {
  const { t, nameOf, format } = useSpeech();
  const { seen = {}, filtered = {}, lost = {} } = health ?? {};
  const kinds = [...new Set([seen, filtered, lost].flatMap((counts) => Object.keys(counts)))];
  if (kinds.length === 0) return <p className="quiet">{t("nodes.noCounts")}</p>;
  const most = (kind: string) => (lost[kind] ?? 0) * 1e12 + (seen[kind] ?? 0);
  return (
    <table className="plain-table" aria-label={t("nodes.counts")}>
      <thead>
        <tr>
          <th>{t("event.kind")}</th>
          <th className="numeric">{t("nodes.seen")}</th>
          <th className="numeric">{t("nodes.filtered")}</th>
          <th className="numeric">{t("nodes.lost")}</th>
        </tr>
      </thead>
      <tbody>
        {kinds
          .toSorted((a, b) => most(b) - most(a))
          .map((kind) => (
            <tr key={kind}>
              <th scope="row">
                <SafeText value={nameOf("eventType", kind)} />
              </th>
              <td className="numeric">{format.number(seen[kind] ?? 0)}</td>
              <td className="numeric">{format.number(filtered[kind] ?? 0)}</td>
              <td className="numeric">
                {(lost[kind] ?? 0) > 0 ? <strong className="bad">{format.number(lost[kind] ?? 0)}</strong> : 0}
              </td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}
