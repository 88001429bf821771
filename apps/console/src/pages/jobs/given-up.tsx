import { useGivenUp } from "../../api/registries.ts";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { useTaskColumns } from "./task-drawer.tsx";

const TWO_LINES_PX = 48;

/** Steps of any job that failed again and again, each with its reason. */
export function GivenUp() {
  const { t } = useSpeech();
  return (
    <DataTable
      label={t("jobs.dead")}
      rows={useGivenUp()}
      columns={useTaskColumns()}
      rowKey={({ id }) => id}
      rowHeight={TWO_LINES_PX}
      empty={<EmptyState title={t("jobs.noDead")} hint={t("jobs.noDeadHint")} />}
    />
  );
}
