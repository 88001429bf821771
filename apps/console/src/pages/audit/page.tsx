import { Alert, Button } from "antd";
import { useAudit, useVerifyAudit } from "../../api/administration.ts";
import type { AuditEntry } from "../../api/contract.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { SearchFilter } from "../../components/filters.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { given, useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";

export function Page() {
  const { t, format } = useSpeech();
  const url = useUrlState();
  const verify = useVerifyAudit();
  const rows = useAudit(
    given({
      actor: url.value("actor"),
      action: url.value("action"),
      subject: url.value("subject"),
      from: url.value("from"),
      to: url.value("to"),
    }),
  );
  const columns: readonly Column<AuditEntry>[] = [
    { key: "at", title: t("audit.at"), width: 180, cell: ({ at }) => format.time(at) },
    { key: "actor", title: t("audit.actor"), width: 190, cell: ({ actor }) => <SafeText value={actor} /> },
    { key: "action", title: t("audit.action"), width: 190, cell: ({ action }) => <SafeText value={action} mono /> },
    { key: "subject", title: t("audit.subject"), cell: ({ subject }) => <SafeText value={subject} /> },
    { key: "address", title: t("audit.address"), width: 140, cell: ({ address }) => <SafeText value={address} mono /> },
    { key: "detail", title: t("audit.detail"), cell: ({ detail }) => <SafeText value={detailOf(detail)} mono /> },
  ];
  const check = (
    <Button loading={verify.isPending} onClick={() => verify.mutate(undefined)}>
      {t("audit.verify")}
    </Button>
  );
  return (
    <Frame title={t("audit.title")} lead={t("audit.lead")} actions={check} fill>
      {verify.data === undefined ? null : <Verdict {...verify.data} />}
      <search className="filters">
        <SearchFilter state={url} name="actor" label={t("audit.actor")} width={180} />
        <SearchFilter state={url} name="action" label={t("audit.action")} width={180} />
        <SearchFilter state={url} name="subject" label={t("audit.subject")} />
      </search>
      <DataTable
        label={t("audit.title")}
        rows={rows}
        columns={columns}
        rowKey={({ entry }) => entry}
        empty={<EmptyState title={t("filters.noneTitle")} hint={t("filters.noneHint")} />}
        fill
      />
    </Frame>
  );
}

function detailOf(detail: AuditEntry["detail"]): string {
  return Object.keys(detail).length === 0 ? "" : JSON.stringify(detail);
}

interface VerdictProps {
  readonly entries: number;
  readonly intact: boolean;
  readonly brokenAt?: number;
}

function Verdict({ entries, intact, brokenAt }: VerdictProps) {
  const { t } = useSpeech();
  if (intact) return <Alert type="success" showIcon title={t("audit.intact", { n: entries })} />;
  return (
    <Alert type="error" showIcon title={t("audit.broken", { n: brokenAt ?? 0 })} description={t("audit.brokenHint")} />
  );
}
