import { Form, Select } from "antd";
import type { RuleModeChange } from "../api/contract.ts";
import { useSpeech } from "../i18n/language.tsx";
import { SafeText } from "./safe-text.tsx";

type Scope = NonNullable<RuleModeChange["scope"]>;

/** Where a rule, an exception or an allowance holds, as a form has it. */
export interface ScopeValues {
  readonly images?: string[];
  readonly namespaces?: string[];
  readonly containerNames?: string[];
}

const PARTS = ["images", "namespaces", "containerNames"] as const;
const MAX_NAMES = 500;
/** Listed scopes name also what an alert's allowance holds for. */
const SHOWN_PARTS = [...PARTS, "containerIds"] as const;
const MAX_SHOWN = 20;
const SHORT_ID = 12;

/** Fields for a scope of containers: globs, all kinds together. */
export function ScopeFields({ isNeeded = false }: { readonly isNeeded?: boolean }) {
  const { t } = useSpeech();
  return (
    <>
      <p className="quiet form-alert">{t(isNeeded ? "scope.hintNeeded" : "scope.hint")}</p>
      {PARTS.map((part, n) => (
        <Form.Item
          key={part}
          name={part}
          label={t(`scope.${part}`)}
          dependencies={PARTS.filter((other) => other !== part)}
          rules={isNeeded && n === 0 ? [(form) => needed(form.getFieldsValue() as ScopeValues, t("scope.needed"))] : []}
        >
          <Select mode="tags" open={false} suffixIcon={null} maxCount={MAX_NAMES} tokenSeparators={[",", " "]} />
        </Form.Item>
      ))}
    </>
  );
}

function needed(values: ScopeValues, message: string) {
  return {
    validator: async () => {
      if (PARTS.every((part) => (values[part] ?? []).length === 0)) throw new Error(message);
    },
  };
}

/** The scope of a form; one that names nothing holds everywhere. */
export function scopeOf(values: ScopeValues): Scope {
  const parts = PARTS.flatMap((part) => {
    const names = values[part] ?? [];
    return names.length === 0 ? [] : [[part, names] as const];
  });
  // Names of containers are no condition on the host, which would be meant as well.
  return parts.length === 0 ? {} : { host: false, ...Object.fromEntries(parts) };
}

/** Ids of containers are known by how they begin. */
function shortened(part: (typeof SHOWN_PARTS)[number], name: string): string {
  return part === "containerIds" ? name.slice(0, SHORT_ID) : name;
}

/** A stored scope as a line of text. */
export function ScopeText({ scope }: { readonly scope: Readonly<Record<string, unknown>> }) {
  const { t } = useSpeech();
  const parts = SHOWN_PARTS.flatMap((part) => {
    const names = scope[part];
    return Array.isArray(names) && names.length > 0
      ? [[part, names.slice(0, MAX_SHOWN).map((name) => shortened(part, String(name)))] as const]
      : [];
  });
  if (parts.length === 0) return <span>{t(scope.host === false ? "scope.containers" : "scope.everywhere")}</span>;
  return (
    <span className="chips">
      {parts.map(([part, names]) => (
        <span key={part}>
          {t(`scope.${part}`)}: <SafeText value={names.join(", ")} mono max={200} />
        </span>
      ))}
    </span>
  );
}
