import { Form, Input } from "antd";
import type { SensorProgram } from "../../api/contract.ts";
import { useAddSensorProgram, useRemoveSensorProgram, useSensorPrograms } from "../../api/nodes.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { FormModal } from "../../components/form-modal.tsx";
import { Panel } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { UpgradeList } from "../../components/upgrade-list.tsx";
import { UpgradeSensors } from "../../components/upgrade-sensors.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const VERSION = /^[0-9A-Za-z.+-]{1,64}$/;
const SHOWN_DIGITS = 12;

interface Given {
  readonly version: string;
  readonly files: FileList;
}

/** Programs that nodes can be upgraded to, and the upgrades. */
export function SensorUpgrades() {
  const { t } = useSpeech();
  const mayWrite = useMay()("admin:write");
  const rows = useSensorPrograms();
  return (
    <div className="stack">
      {mayWrite ? (
        <div className="filters">
          <UpgradeSensors />
          <AddProgram />
          <span className="quiet">{t("upgrades.lead")}</span>
        </div>
      ) : null}
      <UpgradeList />
      <Panel title={t("programs.title")}>
        <DataTable
          label={t("programs.title")}
          rows={rows}
          columns={useColumns(mayWrite)}
          rowKey={({ id }) => id}
          empty={<EmptyState title={t("programs.emptyTitle")} hint={t("programs.emptyHint")} />}
        />
      </Panel>
    </div>
  );
}

function AddProgram() {
  const { t } = useSpeech();
  const add = useAddSensorProgram();
  const send = ({ version, files: [file] }: Given, close: () => void) => {
    if (file !== undefined) add.mutate({ version, file }, { onSuccess: close });
  };
  return (
    <FormModal<Given>
      title={t("programs.add")}
      submit={t("programs.add")}
      sending={add.isPending}
      kind="default"
      onSubmit={send}
    >
      {() => (
        <>
          <Form.Item
            name="version"
            label={t("upgrades.version")}
            rules={[{ required: true, pattern: VERSION, message: t("programs.versionHint") }]}
          >
            <Input maxLength={64} spellCheck={false} autoFocus />
          </Form.Item>
          <Form.Item
            name="files"
            label={t("programs.file")}
            extra={t("programs.fileHint")}
            valuePropName="none"
            getValueFromEvent={(event: { readonly target: HTMLInputElement }) => event.target.files}
            rules={[{ required: true, message: t("form.required") }]}
          >
            <input type="file" />
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}

function useColumns(mayWrite: boolean): readonly Column<SensorProgram>[] {
  const { t, format } = useSpeech();
  const remove = useRemoveSensorProgram();
  return [
    { key: "version", title: t("upgrades.version"), cell: ({ version }) => <SafeText value={version} /> },
    { key: "platform", title: t("programs.platform"), width: 130, cell: ({ platform }) => platform },
    {
      key: "digest",
      title: t("programs.digest"),
      width: 150,
      cell: ({ sha256 }) => (
        <span className="mono" title={sha256}>
          {sha256.slice(0, SHOWN_DIGITS)}
        </span>
      ),
    },
    {
      key: "size",
      title: t("programs.size"),
      width: 110,
      numeric: true,
      cell: ({ sizeBytes }) => format.bytes(sizeBytes),
    },
    { key: "by", title: t("programs.by"), width: 170, cell: ({ addedBy }) => <SafeText value={addedBy} /> },
    { key: "at", title: t("programs.at"), width: 180, cell: ({ addedAt }) => format.time(addedAt) },
    {
      key: "actions",
      title: t("actions"),
      width: 110,
      cell: ({ id, version }) =>
        mayWrite ? (
          <DeleteButton name={version} hint={t("programs.deleteHint")} onDelete={() => remove.mutateAsync(id)} />
        ) : null,
    },
  ];
}
