import { useHolds, useRemoveHold } from "../../api/cleanups.ts";
import type { Hold } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { rowsOf } from "../../components/rows-of.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const TWO_LINES_PX = 48;

/** What no cleanup may delete, and why. */
export function Holds() {
  const { t } = useSpeech();
  const holds = useHolds();
  const columns = useColumns();
  return (
    <Loaded query={holds}>
      {({ items }) => (
        <DataTable
          label={t("unused.holds")}
          rows={rowsOf(items)}
          columns={columns}
          rowKey={({ id }) => id}
          rowHeight={TWO_LINES_PX}
          empty={<EmptyState title={t("unused.noHoldsTitle")} hint={t("unused.noHoldsHint")} />}
        />
      )}
    </Loaded>
  );
}

function useColumns(): readonly Column<Hold>[] {
  const { t, format } = useSpeech();
  const remove = useRemoveHold();
  const may = useMay()("images:write");
  return [
    {
      key: "place",
      title: t("risks.repository"),
      cell: ({ repository, tag }) => (
        <TwoLines second={tag === "" ? t("unused.allTags") : <SafeText value={tag} />}>
          <SafeText value={`${repository.registry}/${repository.name}`} />
        </TwoLines>
      ),
    },
    { key: "reason", title: t("risk.reason"), cell: ({ reason }) => <SafeText value={reason} /> },
    {
      key: "until",
      title: t("unused.until"),
      width: 140,
      cell: ({ until }) => (until === null ? t("unused.forever") : format.date(until)),
    },
    {
      key: "actions",
      title: t("actions"),
      width: 100,
      numeric: true,
      cell: ({ id, repository }) =>
        may ? (
          <DeleteButton name={repository.name} hint={t("unused.releaseHint")} onDelete={() => remove.mutateAsync(id)} />
        ) : null,
    },
  ];
}
