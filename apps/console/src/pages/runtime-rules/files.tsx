import { Button, Switch } from "antd";
import { useState } from "react";
import type { RuleFile } from "../../api/contract.ts";
import { usePutRuleFile, useRemoveRuleFile, useRuleFiles } from "../../api/runtime-rules.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { FileEditor } from "./file-editor.tsx";

type Edited = Pick<RuleFile, "name" | "content" | "enabled">;

const NEW: Edited = { name: "", content: "", enabled: true };

/** Files of rules that were added to those that come with the product. */
export function RuleFiles() {
  const { t } = useSpeech();
  const mayWrite = useMay()("runtime:write");
  const rows = useRuleFiles();
  const [edited, edit] = useState<Edited>();
  const columns = useColumns(mayWrite, edit);
  return (
    <div className="stack">
      {mayWrite ? (
        <div className="filters">
          <Button type="primary" onClick={() => edit(NEW)}>
            {t("ruleFiles.add")}
          </Button>
          <span className="quiet">{t("ruleFiles.hint")}</span>
        </div>
      ) : null}
      <DataTable
        label={t("runtimeRules.files")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        empty={<EmptyState title={t("ruleFiles.emptyTitle")} hint={t("ruleFiles.emptyHint")} />}
      />
      {edited === undefined ? null : <FileEditor file={edited} onClose={() => edit(undefined)} />}
    </div>
  );
}

function useColumns(mayWrite: boolean, edit: (file: Edited) => void): readonly Column<RuleFile>[] {
  const { t, format } = useSpeech();
  const put = usePutRuleFile();
  const remove = useRemoveRuleFile();
  return [
    { key: "name", title: t("ruleFiles.name"), cell: ({ name }) => <SafeText value={name} mono /> },
    {
      key: "enabled",
      title: t("ruleFiles.inUse"),
      width: 110,
      cell: ({ name, content, enabled }) => (
        <Switch
          size="small"
          checked={enabled}
          disabled={!mayWrite}
          loading={put.isPending}
          aria-label={t("ruleFiles.useOf", { name })}
          onChange={(next) => put.mutate({ name, content, enabled: next })}
        />
      ),
    },
    {
      key: "lines",
      title: t("ruleFiles.lines"),
      width: 90,
      numeric: true,
      cell: ({ content }) => format.number(content.split("\n").length),
    },
    { key: "by", title: t("ruleFiles.changedBy"), width: 170, cell: ({ changedBy }) => <SafeText value={changedBy} /> },
    { key: "at", title: t("ruleFiles.changedAt"), width: 170, cell: ({ changedAt }) => format.time(changedAt) },
    {
      key: "actions",
      title: t("actions"),
      width: 170,
      cell: (file) => (
        <span className="row-actions">
          <Button size="small" onClick={() => edit(file)}>
            {t(mayWrite ? "edit" : "ruleFiles.show")}
          </Button>
          {mayWrite ? (
            <DeleteButton
              name={file.name}
              hint={t("ruleFiles.deleteHint")}
              onDelete={() => remove.mutateAsync(file.id)}
            />
          ) : null}
        </span>
      ),
    },
  ];
}
