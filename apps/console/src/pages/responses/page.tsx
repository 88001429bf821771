import { useResponses } from "../../api/responses.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { ChoiceFilter } from "../../components/filters.tsx";
import { NoSensor } from "../../components/no-sensor.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { ResponseTable } from "../../components/response-table.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";

const STATES = ["waiting", "queued", "sent", "done", "unchanged", "failed", "refused", "expired", "dry-run"] as const;

export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const state = url.oneOf("state", STATES);
  const rows = useResponses(state === undefined ? {} : { states: state });
  const empty =
    state === undefined ? (
      <NoSensor title={t("responses.emptyTitle")} hint={t("responses.emptyHint")} />
    ) : (
      <EmptyState title={t("filters.noneTitle")} hint={t("filters.noneHint")} />
    );
  return (
    <Frame title={t("responses.title")} lead={t("responses.lead")} fill>
      <search className="filters">
        <ChoiceFilter
          state={url}
          name="state"
          label={t("filters.state")}
          width={190}
          options={STATES.map((value) => ({ value, label: t(`responseState.${value}`) }))}
        />
      </search>
      <ResponseTable rows={rows} empty={empty} fill />
    </Frame>
  );
}
