import { Alert, Drawer } from "antd";
import type { RuntimeRule } from "../../api/contract.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { SeverityTag } from "../../components/severity.tsx";
import { Techniques } from "../../components/techniques.tsx";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";
import { RuleExceptions } from "./exceptions.tsx";
import { ModeSwitch } from "./mode-switch.tsx";
import "./rules.css";

const WIDTH_PX = 640;
const LONG = 20_000;
const SHOWN_CHARACTERS = 400;

interface Props {
  readonly rule: RuntimeRule | undefined;
  readonly onClose: () => void;
}

/** A rule: what it sees, what to do, its condition, where it does otherwise. */
export function RuleDrawer({ rule, onClose }: Props) {
  const { t } = useSpeech();
  const told = useServerTexts();
  return (
    <Drawer
      open={rule !== undefined}
      onClose={onClose}
      size={WIDTH_PX}
      destroyOnHidden
      title={<SafeText value={rule === undefined ? "" : told.ruleTitle(rule.name)} />}
      closable={{ "aria-label": t("close") }}
    >
      {rule === undefined ? null : <Content rule={rule} />}
    </Drawer>
  );
}

function Content({ rule }: { readonly rule: RuntimeRule }) {
  const { t } = useSpeech();
  const told = useServerTexts();
  return (
    <div className="stack">
      <p>
        <SafeText value={told.ruleDescription(rule.name, rule.description)} wrap max={LONG} />
      </p>
      <dl className="facts">
        <dt>{t("filters.severity")}</dt>
        <dd>
          <SeverityTag severity={rule.severity} />
        </dd>
        <dt>{t("alert.attack")}</dt>
        <dd>
          <Techniques techniques={rule.techniques} tactics={rule.tactics} />
        </dd>
        <dt>{t("alert.advice")}</dt>
        <dd>
          <SafeText value={told.ruleAdvice(rule.name, rule.advice)} wrap max={LONG} />
        </dd>
        <dt>{t("runtimeRules.mode")}</dt>
        <dd>
          <ModeSwitch rule={rule} />
        </dd>
        <dt>{t("runtimeRules.from")}</dt>
        <dd>
          <SafeText value={rule.file} mono wrap />
        </dd>
      </dl>
      {rule.blockable ? (
        <>
          <p className="quiet">{t("runtimeRules.blockHint")}</p>
          {rule.notBlocked === "" ? null : (
            <p>{t("runtimeRules.onlyAlerts", { why: told.blocking(visible(rule.notBlocked, SHOWN_CHARACTERS)) })}</p>
          )}
        </>
      ) : (
        <Alert
          type="info"
          showIcon
          title={t("runtimeRules.cannotBlock", { why: told.blocking(visible(rule.whyNotBlockable, SHOWN_CHARACTERS)) })}
        />
      )}
      <h3>{t("runtimeRules.condition")}</h3>
      <div className="evidence">
        <SafeText value={rule.condition.trim()} mono wrap max={LONG} />
      </div>
      <h3>{t("runtimeRules.exceptions")}</h3>
      <RuleExceptions rule={rule} />
    </div>
  );
}
