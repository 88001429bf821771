import { Alert } from "antd";
import { Link } from "react-router";
import type { Health } from "../../api/runtime-facts.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";

const MAX_SHOWN = 100;

type Gap = NonNullable<Health["gaps"]>[number];

/** Rules of which this node cannot carry out every block, and why: there they only alert. */
export function Gaps({ gaps }: { readonly gaps: readonly Gap[] }) {
  const { t } = useSpeech();
  const told = useServerTexts();
  if (gaps.length === 0) return <p className="quiet">{t("nodes.noGaps")}</p>;
  const byRule = Map.groupBy(gaps, ({ rule = "", blockId }) => rule || blockId);
  return (
    <div className="stack">
      <p className="quiet">{t("nodes.gapsHint")}</p>
      <dl className="facts">
        {[...byRule].slice(0, MAX_SHOWN).map(([rule, found]) => (
          <GapLine key={rule} rule={rule} reasons={[...new Set(found.map(({ why }) => told.gap(why)))]} />
        ))}
      </dl>
    </div>
  );
}

function GapLine({ rule, reasons }: { readonly rule: string; readonly reasons: readonly string[] }) {
  const told = useServerTexts();
  return (
    <>
      <dt>
        <Link to={`/runtime-rules?open=${encodeURIComponent(rule)}`}>
          <SafeText value={told.ruleTitle(rule)} wrap />
        </Link>
      </dt>
      <dd>
        <SafeText value={reasons.join("; ")} wrap />
      </dd>
    </>
  );
}

/** Attempts to stop, trace, unmount or unload the sensor. */
export function Tampering({ attempts }: { readonly attempts: readonly string[] }) {
  const { t } = useSpeech();
  if (attempts.length === 0) return null;
  return (
    <Alert
      type="error"
      showIcon
      title={t("nodes.tampering")}
      description={
        <ul className="plain-list">
          {[...new Set(attempts)].slice(0, MAX_SHOWN).map((attempt) => (
            <li key={attempt}>
              <SafeText value={attempt} wrap />
            </li>
          ))}
        </ul>
      }
    />
  );
}
