import { Button, Form, Select } from "antd";
import type { RuleMode, RuntimeRule } from "../../api/contract.ts";
import { useRemoveRuleMode, useSetRuleMode } from "../../api/runtime-rules.ts";
import { useMay } from "../../api/session.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { ScopeFields, ScopeText, type ScopeValues, scopeOf } from "../../components/rule-scope.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { MODES } from "./mode-switch.tsx";

/** Places where a rule does otherwise than everywhere. */
export function RuleExceptions({ rule }: { readonly rule: RuntimeRule }) {
  const { t, format } = useSpeech();
  const mayWrite = useMay()("runtime:write");
  const remove = useRemoveRuleMode();
  return (
    <div className="stack">
      {rule.exceptions.length === 0 ? <p className="quiet">{t("runtimeRules.noExceptions")}</p> : null}
      <ul className="plain-list">
        {rule.exceptions.map(({ id, mode, scope, changedBy, changedAt }) => (
          <li key={id} className="chips">
            <span className={`tag ${mode === "block" ? "tone-critical" : "tone-other"}`}>{t(`ruleMode.${mode}`)}</span>
            <ScopeText scope={scope} />
            <span className="quiet">
              <SafeText value={changedBy} max={60} /> · {format.date(changedAt)}
            </span>
            {mayWrite ? (
              <Button size="small" loading={remove.isPending} onClick={() => remove.mutate(id)}>
                {t("runtimeRules.takeBack")}
              </Button>
            ) : null}
          </li>
        ))}
      </ul>
      <div>{mayWrite ? <AddException rule={rule} /> : null}</div>
    </div>
  );
}

interface Values extends ScopeValues {
  readonly mode: RuleMode;
}

function AddException({ rule }: { readonly rule: RuntimeRule }) {
  const { t } = useSpeech();
  const set = useSetRuleMode();
  const modes = MODES.filter((mode) => mode !== "block" || rule.blockable);
  return (
    <FormModal<Values>
      title={t("runtimeRules.addException")}
      submit={t("save")}
      small
      initial={{ mode: "off" }}
      sending={set.isPending}
      onSubmit={({ mode, ...scope }, close) =>
        set.mutate({ rule: rule.name, mode, scope: scopeOf(scope) }, { onSuccess: close })
      }
    >
      {() => (
        <>
          <Form.Item name="mode" label={t("runtimeRules.mode")}>
            <Select options={modes.map((value) => ({ value, label: t(`ruleMode.${value}`) }))} />
          </Form.Item>
          <ScopeFields isNeeded />
        </>
      )}
    </FormModal>
  );
}
