import { ChoiceFilter, FlagFilter, SearchFilter } from "../../components/filters.tsx";
import { SEVERITIES } from "../../components/severity.tsx";
import type { UrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";

export const STATES = ["known", "scanned", "failed", "gone"] as const;
export const KINDS = ["vulnerability", "secret", "malware", "webshell", "misconfiguration"] as const;
export const GRADES = ["critical", "high", "medium", "low"] as const;

export function ImageFilterBar({ url }: { readonly url: UrlState }) {
  const { t } = useSpeech();
  const states = STATES.map((value) => ({ value, label: t(`imageState.${value}`) }));
  const severities = SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }));
  const kinds = KINDS.map((value) => ({ value, label: t(`kind.${value}`) }));
  const grades = GRADES.map((value) => ({ value, label: t(`grade.${value}`) }));
  return (
    <search className="filters">
      <SearchFilter state={url} name="search" label={t("images.search")} width={220} />
      <ChoiceFilter state={url} name="severity" label={t("filters.severity")} options={severities} width={120} />
      <ChoiceFilter state={url} name="kind" label={t("filters.kind")} options={kinds} width={120} />
      <ChoiceFilter state={url} name="state" label={t("filters.state")} options={states} width={110} />
      <ChoiceFilter state={url} name="grade" label={t("filters.grade")} options={grades} width={150} />
      <SearchFilter state={url} name="os" label={t("filters.os")} width={160} />
      <SearchFilter state={url} name="owner" label={t("filters.owner")} width={110} />
      <FlagFilter state={url} name="exploited" label={t("filters.exploited")} />
    </search>
  );
}
