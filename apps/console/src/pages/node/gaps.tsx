import { Alert } from "antd";
import type { Health } from "../../api/runtime-facts.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const MAX_SHOWN = 100;

/** Blocks of the policy that this node cannot carry out: there the rules only alert. */
export function Gaps({ gaps }: { readonly gaps: NonNullable<Health["gaps"]> }) {
  const { t } = useSpeech();
  if (gaps.length === 0) return <p className="quiet">{t("nodes.noGaps")}</p>;
  return (
    <div className="stack">
      <p className="quiet">{t("nodes.gapsHint")}</p>
      <dl className="facts">
        {gaps.slice(0, MAX_SHOWN).map(({ blockId, why }) => (
          <GapLine key={blockId} block={blockId} why={why} />
        ))}
      </dl>
    </div>
  );
}

function GapLine({ block, why }: { readonly block: string; readonly why: string }) {
  return (
    <>
      <dt>
        <SafeText value={block} mono />
      </dt>
      <dd>
        <SafeText value={why} wrap />
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
