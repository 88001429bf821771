import { useOwners } from "../../api/administration.ts";
import { ChoiceFilter, FlagFilter, SearchFilter } from "../../components/filters.tsx";
import type { UrlState } from "../../components/url-state.ts";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";

const SHOWN_NAME = 60;
export const STATES = ["known", "scanned", "failed", "gone"] as const;
export const KINDS = ["vulnerability", "secret", "malware", "misconfiguration"] as const;
export const SEVERE = ["critical", "high", "medium", "low"] as const;
export const GRADES = ["critical", "high", "medium", "low"] as const;

export function ImageFilterBar({ url }: { readonly url: UrlState }) {
  const { t } = useSpeech();
  const states = STATES.map((value) => ({ value, label: t(`imageState.${value}`) }));
  const severities = SEVERE.map((value) => ({ value, label: t(`severity.${value}`) }));
  const kinds = KINDS.map((value) => ({ value, label: t(`kind.${value}`) }));
  const owners = useOwners().items.map(({ id, name }) => ({ value: String(id), label: visible(name, SHOWN_NAME) }));
  const grades = GRADES.map((value) => ({ value, label: t(`grade.${value}`) }));
  return (
    <search className="filters">
      <SearchFilter state={url} name="search" label={t("images.search")} width={220} />
      <ChoiceFilter state={url} name="severity" label={t("filters.severity")} options={severities} width={120} />
      <ChoiceFilter state={url} name="kind" label={t("filters.kind")} options={kinds} width={120} />
      <ChoiceFilter state={url} name="state" label={t("filters.state")} options={states} width={110} />
      <ChoiceFilter state={url} name="grade" label={t("filters.grade")} options={grades} width={150} />
      <SearchFilter state={url} name="os" label={t("filters.os")} width={160} />
      <ChoiceFilter state={url} name="owner" label={t("filters.owner")} options={owners} width={120} />
      <FlagFilter state={url} name="exploited" label={t("filters.exploited")} />
    </search>
  );
}
