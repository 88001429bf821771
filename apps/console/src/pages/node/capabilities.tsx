import type { SensorNode } from "../../api/contract.ts";
import type { Capability } from "../../api/runtime-facts.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import "../../components/plain-table.css";

const TONES: Readonly<Record<string, string>> = { full: "tone-good", reduced: "tone-medium", missing: "tone-critical" };
const ORDER = ["missing", "reduced", "full"];
const rank = ({ state = "" }: Capability) => (ORDER.indexOf(state) + ORDER.length + 1) % (ORDER.length + 1);

/** What the node's kernel lets the sensor see and refuse, by which means; what is wanting stands first. */
export function Capabilities({ node }: { readonly node: SensorNode }) {
  const { t, nameOf } = useSpeech();
  const capabilities = node.capabilities as readonly Capability[];
  if (capabilities.length === 0) return <p className="quiet">{t("nodes.notToldHint")}</p>;
  return (
    <table className="plain-table" aria-label={t("nodes.canDo")}>
      <thead>
        <tr>
          <th>{t("nodes.capability")}</th>
          <th>{t("filters.state")}</th>
          <th>{t("nodes.means")}</th>
          <th>{t("nodes.meansDetail")}</th>
        </tr>
      </thead>
      <tbody>
        {capabilities
          .toSorted((a, b) => rank(a) - rank(b))
          .map(({ id = "", state = "", means, detail }) => (
            <tr key={id}>
              <th scope="row">
                <SafeText value={nameOf("capability", id)} wrap />
              </th>
              <td>
                <span className={`tag ${TONES[state] ?? "tone-other"}`}>
                  <SafeText value={nameOf("capabilityState", state)} max={40} />
                </span>
              </td>
              <td>
                <SafeText value={means} wrap />
              </td>
              <td>
                <SafeText value={detail} wrap />
              </td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}
