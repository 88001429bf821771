import { SEVERITIES } from "@bulwark/model";
import { useAlerts } from "../../api/alerts.ts";
import { useRuntimeRules } from "../../api/runtime-rules.ts";
import { useMay } from "../../api/session.ts";
import { AlertTable } from "../../components/alert-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ChoiceFilter, ChoicesFilter, FlagFilter, SearchFilter } from "../../components/filters.tsx";
import { NoSensor } from "../../components/no-sensor.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { given, type UrlState, useUrlState } from "../../components/url-state.ts";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";

const STATES = ["active", "open", "acknowledged", "closed", "allowed", "all"] as const;
const SHOWN_NAME = 80;
/** What still asks for somebody. */
const ACTIVE = "open,acknowledged";

export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const filters = given({
    text: url.value("text"),
    severities: severitiesOf(url.value("severities")),
    rule: url.value("rule"),
    nodeId: url.integer("node"),
    exposed: url.flag("exposed"),
  });
  const rows = useAlerts({ ...filters, ...statesOf(url) });
  const filtered = Object.keys(filters).length > 0 || url.value("state") !== undefined;
  const empty = filtered ? (
    <EmptyState title={t("filters.noneTitle")} hint={t("filters.noneHint")} />
  ) : (
    <NoSensor title={t("alerts.emptyTitle")} hint={t("alerts.emptyHint")} />
  );
  return (
    <Frame title={t("alerts.title")} lead={t("alerts.lead")} fill>
      <AlertFilterBar url={url} />
      <AlertTable rows={rows} empty={empty} fill />
    </Frame>
  );
}

function AlertFilterBar({ url }: { readonly url: UrlState }) {
  const { t } = useSpeech();
  return (
    <search className="filters">
      <SearchFilter state={url} name="text" label={t("alerts.search")} />
      <ChoiceFilter
        state={url}
        name="state"
        label={t("filters.state")}
        usual="active"
        width={215}
        options={STATES.map((value) => ({ value, label: t(`alertState.${value}`) }))}
      />
      <ChoicesFilter
        state={url}
        name="severities"
        label={t("filters.severity")}
        options={SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }))}
      />
      <RuleFilter url={url} />
      <FlagFilter state={url} name="exposed" label={t("assets.onlyExposed")} />
    </search>
  );
}

/** Rules that there are, and the one of the address even if it is gone by now. */
function RuleFilter({ url }: { readonly url: UrlState }) {
  const { t } = useSpeech();
  const told = useServerTexts();
  const rules = useRuntimeRules(useMay()("runtime:read")).data?.items ?? [];
  const chosen = url.value("rule");
  const names = [...new Set([...rules.map(({ name }) => name), ...(chosen === undefined ? [] : [chosen])])];
  return (
    <ChoiceFilter
      state={url}
      name="rule"
      label={t("alerts.rule")}
      width={230}
      searchable
      options={names.map((value) => ({ value, label: visible(told.ruleTitle(value), SHOWN_NAME) }))}
    />
  );
}

function statesOf(url: UrlState): { readonly states?: string } {
  const state = url.oneOf("state", STATES) ?? "active";
  if (state === "all") return {};
  return { states: state === "active" ? ACTIVE : state };
}

function severitiesOf(text: string | undefined): string | undefined {
  const known = (text ?? "").split(",").filter((word) => SEVERITIES.some((severity) => severity === word));
  return known.length === 0 ? undefined : known.join(",");
}
