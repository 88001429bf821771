import { Checkbox, Form, Input, Select } from "antd";
import type { NewSchedule, Schedule } from "../../api/contract.ts";
import {
  useAddSchedule,
  useChangeSchedule,
  useDeleteSchedule,
  useRegistries,
  useSchedules,
} from "../../api/registries.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { FormModal } from "../../components/form-modal.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";

const SHOWN_NAME = 60;
const EVERY_NIGHT = "0 2 * * *";
const TWO_LINES_PX = 48;

/** Scans that come again at times of a cron expression. */
export function Page() {
  const { t } = useSpeech();
  const rows = useSchedules();
  const columns = useColumns();
  const add = useMay()("jobs:write") ? <AddSchedule /> : null;
  return (
    <Frame title={t("schedules.title")} lead={t("schedules.lead")} actions={add} fill>
      <DataTable
        label={t("schedules.title")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("schedules.emptyTitle")} hint={t("schedules.emptyHint")} action={add} />}
        fill
      />
    </Frame>
  );
}

function useColumns(): readonly Column<Schedule>[] {
  const { t, format } = useSpeech();
  return [
    {
      key: "name",
      title: t("schedules.name"),
      cell: ({ name, cron, timeZone }) => (
        <TwoLines second={<SafeText value={`${cron} · ${timeZone}`} mono />}>
          <SafeText value={name} />
        </TwoLines>
      ),
    },
    {
      key: "places",
      title: t("schedules.places"),
      width: 190,
      cell: ({ registries, repositories }) =>
        t("schedules.counts", { registries: registries.length, repositories: repositories.length }),
    },
    { key: "next", title: t("schedules.next"), width: 190, cell: ({ nextAt }) => format.time(nextAt) },
    { key: "last", title: t("schedules.last"), width: 140, cell: ({ lastAt }) => format.ago(lastAt) },
    { key: "enabled", title: t("schedules.enabled"), width: 90, cell: (row) => <Enabled schedule={row} /> },
    { key: "actions", title: t("actions"), width: 100, numeric: true, cell: (row) => <Remove schedule={row} /> },
  ];
}

interface Props {
  readonly schedule: Schedule;
}

function Enabled({ schedule }: Props) {
  const { t } = useSpeech();
  const change = useChangeSchedule();
  const { id, enabled } = schedule;
  return (
    <Checkbox
      aria-label={t("schedules.enabled")}
      checked={enabled}
      disabled={!useMay()("jobs:write") || change.isPending}
      onChange={(event) => change.mutate({ id, enabled: event.target.checked })}
    />
  );
}

function Remove({ schedule }: Props) {
  const { t } = useSpeech();
  const remove = useDeleteSchedule();
  if (!useMay()("jobs:write")) return null;
  return (
    <DeleteButton
      name={schedule.name}
      hint={t("schedules.deleteHint")}
      onDelete={() => remove.mutateAsync(schedule.id)}
    />
  );
}

function AddSchedule() {
  const { t } = useSpeech();
  const add = useAddSchedule();
  const registries = useRegistries();
  const required = [{ required: true, message: t("form.required") }];
  const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <FormModal<NewSchedule>
      title={t("schedules.add")}
      submit={t("save")}
      initial={{ cron: EVERY_NIGHT, timeZone }}
      sending={add.isPending}
      onSubmit={(values, close) => add.mutate(values, { onSuccess: close })}
    >
      {() => (
        <>
          <Form.Item name="name" label={t("schedules.name")} rules={required}>
            <Input maxLength={100} />
          </Form.Item>
          <Form.Item name="cron" label={t("schedules.cron")} extra={t("schedules.cronHint")} rules={required}>
            <Input className="mono" maxLength={100} spellCheck={false} />
          </Form.Item>
          <Form.Item name="timeZone" label={t("schedules.timeZone")} rules={required}>
            <Input maxLength={60} spellCheck={false} />
          </Form.Item>
          <Form.Item name="registries" label={t("registries.title")} rules={required}>
            <Select
              mode="multiple"
              options={registries.items.map(({ id, name }) => ({ value: id, label: visible(name, SHOWN_NAME) }))}
            />
          </Form.Item>
          <Form.Item name="rescan" valuePropName="checked">
            <Checkbox>{t("schedules.rescan")}</Checkbox>
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}
