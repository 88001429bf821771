import type { RuntimeRule } from "../../api/contract.ts";
import { useRuntimeRules } from "../../api/runtime-rules.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ChoiceFilter, SearchFilter } from "../../components/filters.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { rowsOf } from "../../components/rows-of.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { SeverityTag } from "../../components/severity.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import type { UrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";
import { matchingRules, tacticsOf } from "./matching-rules.ts";
import { MODES, ModeSwitch } from "./mode-switch.tsx";
import { Problems } from "./problems.tsx";
import { RuleDrawer } from "./rule-drawer.tsx";

const TWO_LINES_PX = 50;

/** All rules with what they do; a rule opens with its condition and exceptions. */
export function RuleList({ url }: { readonly url: UrlState }) {
  const rules = useRuntimeRules();
  return (
    <Loaded query={rules}>
      {({ items, problems }) => (
        <div className="stack">
          <Problems problems={problems} />
          <Filtered url={url} rules={items} />
        </div>
      )}
    </Loaded>
  );
}

function Filtered({ url, rules }: { readonly url: UrlState; readonly rules: readonly RuntimeRule[] }) {
  const { t, nameOf } = useSpeech();
  const told = useServerTexts();
  const columns = useColumns(url);
  const shown = matchingRules(rules, {
    search: url.value("search") ?? "",
    tactic: url.value("tactic"),
    mode: url.oneOf("mode", MODES),
    titleOf: told.ruleTitle,
  });
  return (
    <>
      <search className="filters">
        <SearchFilter state={url} name="search" label={t("runtimeRules.search")} />
        <ChoiceFilter
          state={url}
          name="tactic"
          label={t("runtimeRules.tactic")}
          width={200}
          options={tacticsOf(rules).map((value) => ({ value, label: nameOf("tactic", value) }))}
        />
        <ChoiceFilter
          state={url}
          name="mode"
          label={t("runtimeRules.mode")}
          options={MODES.map((value) => ({ value, label: t(`ruleMode.${value}`) }))}
        />
      </search>
      <DataTable
        label={t("runtimeRules.title")}
        rows={rowsOf(shown)}
        columns={columns}
        rowKey={({ name }) => name}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("filters.noneTitle")} hint={t("filters.noneHint")} />}
      />
      <RuleDrawer
        rule={rules.find(({ name }) => name === url.value("open"))}
        onClose={() => url.set({ open: undefined })}
      />
    </>
  );
}

function useColumns(url: UrlState): readonly Column<RuntimeRule>[] {
  const { t, nameOf, format } = useSpeech();
  const told = useServerTexts();
  return [
    {
      key: "severity",
      title: t("filters.severity"),
      width: 96,
      cell: ({ severity }) => <SeverityTag severity={severity} />,
    },
    {
      key: "rule",
      title: t("alerts.rule"),
      cell: ({ name, description }) => (
        <TwoLines second={<SafeText value={told.ruleDescription(name, description)} />}>
          <button type="button" className="link-button" onClick={() => url.set({ open: name })}>
            <SafeText value={told.ruleTitle(name)} />
          </button>
        </TwoLines>
      ),
    },
    {
      key: "tactic",
      title: t("runtimeRules.tactic"),
      width: 170,
      cell: ({ tactics, techniques }) => (
        <TwoLines second={<SafeText value={techniques.map(({ id }) => id).join(", ")} />}>
          <SafeText value={tactics.map((tactic) => nameOf("tactic", tactic)).join(", ")} />
        </TwoLines>
      ),
    },
    {
      key: "from",
      title: t("runtimeRules.from"),
      width: 130,
      cell: ({ shipped, file }) =>
        shipped ? <span className="quiet">{t("runtimeRules.shipped")}</span> : <SafeText value={file} />,
    },
    {
      key: "exceptions",
      title: t("runtimeRules.exceptions"),
      width: 92,
      numeric: true,
      cell: ({ exceptions }) => (exceptions.length === 0 ? t("none") : format.number(exceptions.length)),
    },
    { key: "mode", title: t("runtimeRules.mode"), width: 230, cell: (rule) => <ModeSwitch rule={rule} /> },
  ];
}
