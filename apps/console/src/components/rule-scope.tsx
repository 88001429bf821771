import { Checkbox, Form, Select } from "antd";
import type { RuleModeChange } from "../api/contract.ts";
import { useSpeech } from "../i18n/language.tsx";
import { SafeText } from "./safe-text.tsx";

type Scope = NonNullable<RuleModeChange["scope"]>;

/** Where a rule, an exception or an allowance holds, as a form has it. */
export interface ScopeValues {
  readonly images?: string[];
  readonly namespaces?: string[];
  readonly containerNames?: string[];
  readonly exposed?: boolean;
  readonly selfBuilt?: boolean;
}

/** Kinds of containers that the server tells apart. */
const KINDS = ["exposed", "selfBuilt"] as const;
const PARTS = ["images", "namespaces", "containerNames"] as const;
const MAX_NAMES = 500;
/** Listed scopes name also what an alert's allowance holds for. */
const SHOWN_PARTS = [...PARTS, "containerIds", "clusters", "users"] as const;
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
          dependencies={[...PARTS.filter((other) => other !== part), ...KINDS]}
          rules={isNeeded && n === 0 ? [(form) => needed(form.getFieldsValue() as ScopeValues, t("scope.needed"))] : []}
        >
          <Select mode="tags" open={false} suffixIcon={null} maxCount={MAX_NAMES} tokenSeparators={[",", " "]} />
        </Form.Item>
      ))}
      {KINDS.map((kind) => (
        <Form.Item key={kind} name={kind} valuePropName="checked" extra={t(`scopeHint.${kind}`)}>
          <Checkbox>{t(`scope.${kind}`)}</Checkbox>
        </Form.Item>
      ))}
    </>
  );
}

/** A scope of requests to API servers, as a form has it. */
export interface RequestScopeValues {
  readonly clusters?: string[];
  readonly namespaces?: string[];
  readonly users?: string[];
}

const REQUEST_PARTS = ["clusters", "namespaces", "users"] as const;

/** Fields for a scope of requests to API servers: globs, all kinds together. */
export function RequestScopeFields() {
  const { t } = useSpeech();
  return (
    <>
      <p className="quiet form-alert">{t("scope.hint")}</p>
      {REQUEST_PARTS.map((part) => (
        <Form.Item key={part} name={part} label={t(`scope.${part}`)}>
          <Select mode="tags" open={false} suffixIcon={null} maxCount={MAX_NAMES} tokenSeparators={[",", " "]} />
        </Form.Item>
      ))}
    </>
  );
}

/** The scope of such a form. */
export function requestScopeOf(values: RequestScopeValues) {
  const parts = REQUEST_PARTS.flatMap((part) => {
    const names = values[part] ?? [];
    return names.length === 0 ? [] : [[part, names] as const];
  });
  return { source: "k8s_audit" as const, ...Object.fromEntries(parts) };
}

function needed(values: ScopeValues, message: string) {
  return {
    validator: async () => {
      const isNamed = PARTS.some((part) => (values[part] ?? []).length > 0);
      if (!isNamed && !KINDS.some((kind) => values[kind] === true)) throw new Error(message);
    },
  };
}

/** The scope of a form; one that names nothing holds everywhere. */
export function scopeOf(values: ScopeValues): Scope {
  const parts: (readonly [string, string[] | boolean])[] = PARTS.flatMap((part) => {
    const names = values[part] ?? [];
    return names.length === 0 ? [] : [[part, names] as const];
  });
  parts.push(...KINDS.flatMap((kind) => (values[kind] === true ? [[kind, true] as const] : [])));
  // Names of containers are no condition on the host, which would be meant as well.
  return parts.length === 0 ? {} : { host: false, ...Object.fromEntries(parts) };
}

/** Ids of containers are known by how they begin. */
function shortened(part: (typeof SHOWN_PARTS)[number], name: string): string {
  return part === "containerIds" ? name.slice(0, SHORT_ID) : name;
}

function emptyText({ source, host }: Readonly<Record<string, unknown>>) {
  if (source === "k8s_audit") return "scope.requests" as const;
  return host === false ? ("scope.containers" as const) : ("scope.everywhere" as const);
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
  const kinds = KINDS.filter((kind) => scope[kind] === true);
  if (parts.length + kinds.length === 0) return <span>{t(emptyText(scope))}</span>;
  return (
    <span className="chips">
      {parts.map(([part, names]) => (
        <span key={part}>
          {t(`scope.${part}`)}: <SafeText value={names.join(", ")} mono max={200} />
        </span>
      ))}
      {kinds.map((kind) => (
        <span key={kind} className="tag tone-other">
          {t(`scope.${kind}`)}
        </span>
      ))}
    </span>
  );
}
