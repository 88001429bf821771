import { Segmented, Tooltip } from "antd";
import type { RuleMode, RuntimeRule } from "../../api/contract.ts";
import { useSetRuleMode } from "../../api/runtime-rules.ts";
import { useMay } from "../../api/session.ts";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";

export const MODES = ["off", "alert", "block"] as const;
const SHOWN_CHARACTERS = 400;

/** What a rule does everywhere. One that cannot block says why. */
export function ModeSwitch({ rule }: { readonly rule: RuntimeRule }) {
  const { t } = useSpeech();
  const told = useServerTexts();
  const mayWrite = useMay()("runtime:write");
  const set = useSetRuleMode();
  const why = told.blocking(visible(rule.whyNotBlockable, SHOWN_CHARACTERS));
  const options = MODES.map((mode) => ({
    value: mode,
    label: label(mode),
    disabled: !mayWrite || (mode === "block" && !rule.blockable),
  }));
  function label(mode: RuleMode) {
    const text = t(`ruleMode.${mode}`);
    return mode === "block" && !rule.blockable ? (
      <Tooltip title={t("runtimeRules.cannotBlock", { why })}>{text}</Tooltip>
    ) : (
      text
    );
  }
  return (
    <Segmented
      size="small"
      aria-label={t("runtimeRules.modeOf", { rule: visible(told.ruleTitle(rule.name), SHOWN_CHARACTERS) })}
      className={`mode-${rule.mode}`}
      value={rule.mode}
      options={options}
      onChange={(mode) => set.mutate({ rule: rule.name, mode })}
    />
  );
}
