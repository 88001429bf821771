import { App, Button, DatePicker, Form, Input, Select } from "antd";
import {
  useAdmissionExceptions,
  useAdmissionPolicies,
  useApproveAdmissionException,
  useAskAdmissionException,
  useDeleteAdmissionException,
} from "../../api/admission.ts";
import type { AdmissionException, NewAdmissionException } from "../../api/contract.ts";
import { useMay, useSession } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { useExplain } from "../../components/explain.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";

const TWO_LINES_PX = 48;
const SHOWN_NAME = 80;

interface Asked extends Omit<NewAdmissionException, "until"> {
  readonly until: { toISOString(): string };
}

/** What somebody answers for in one namespace, until a time. */
export function Exceptions() {
  const { t } = useSpeech();
  const rows = useAdmissionExceptions();
  const columns = useColumns();
  const ask = useMay()("findings:write") ? <AskException /> : null;
  return (
    <div className="stack">
      <div>{ask}</div>
      <DataTable
        label={t("admission.exceptions")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("admission.noExceptions")} hint={t("admission.noExceptionsHint")} />}
      />
    </div>
  );
}

function AskException() {
  const { t } = useSpeech();
  const { message } = App.useApp();
  const explain = useExplain();
  const ask = useAskAdmissionException();
  const { items } = useAdmissionPolicies();
  const required = [{ required: true, message: t("form.required") }];
  const send = ({ until, object, image, ...rest }: Asked, close: () => void) =>
    ask.mutate(
      {
        ...rest,
        until: until.toISOString(),
        ...(object === undefined || object === "" ? {} : { object }),
        ...(image === undefined || image === "" ? {} : { image }),
      },
      { onSuccess: close, onError: (error) => void message.error(explain(error).title) },
    );
  return (
    <FormModal<Asked> title={t("admission.ask")} submit={t("risk.askApproval")} sending={ask.isPending} onSubmit={send}>
      {() => (
        <>
          <Form.Item name="policy" label={t("admission.policy")} rules={required}>
            <Select
              showSearch={{ optionFilterProp: "label" }}
              options={items.map(({ name }) => ({ value: name, label: visible(name, SHOWN_NAME) }))}
            />
          </Form.Item>
          <Form.Item name="namespace" label={t("admission.namespace")} rules={required}>
            <Input className="mono" maxLength={63} spellCheck={false} />
          </Form.Item>
          <Form.Item name="object" label={t("admission.object")} extra={t("admission.globHint")}>
            <Input className="mono" maxLength={300} spellCheck={false} />
          </Form.Item>
          <Form.Item name="image" label={t("images.image")} extra={t("admission.globHint")}>
            <Input className="mono" maxLength={300} spellCheck={false} />
          </Form.Item>
          <Form.Item name="reason" label={t("risk.reason")} rules={required}>
            <Input.TextArea rows={2} maxLength={2000} />
          </Form.Item>
          <Form.Item name="until" label={t("waivers.until")} rules={required}>
            <DatePicker showTime />
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}

function useColumns(): readonly Column<AdmissionException>[] {
  const { t, format } = useSpeech();
  return [
    {
      key: "policy",
      title: t("admission.policy"),
      cell: ({ policy, rule }) => (
        <TwoLines second={rule === "" ? t("admission.allRules") : <SafeText value={rule} />}>
          <SafeText value={policy} />
        </TwoLines>
      ),
    },
    {
      key: "place",
      title: t("admission.namespace"),
      cell: ({ namespace, cluster, object, image }) => (
        <TwoLines second={<SafeText value={`${object} ${image}`} mono />}>
          <SafeText value={`${cluster?.name ?? ""} ${namespace}`.trim()} />
        </TwoLines>
      ),
    },
    { key: "reason", title: t("risk.reason"), cell: ({ reason }) => <SafeText value={reason} /> },
    {
      key: "people",
      title: t("waivers.people"),
      width: 150,
      cell: ({ askedBy, approver }) => (
        <TwoLines second={approver === null ? t("waivers.nobodyYet") : <SafeText value={approver.name} />}>
          <SafeText value={askedBy.name} />
        </TwoLines>
      ),
    },
    { key: "until", title: t("waivers.until"), width: 120, cell: ({ until }) => format.date(until) },
    { key: "actions", title: t("actions"), width: 160, numeric: true, cell: (each) => <Actions exception={each} /> },
  ];
}

function Actions({ exception }: { readonly exception: AdmissionException }) {
  const { t } = useSpeech();
  const may = useMay();
  const isOwn = useSession().data?.account.id === exception.askedBy.id;
  const approve = useApproveAdmissionException();
  const remove = useDeleteAdmissionException();
  return (
    <span className="row-actions">
      {exception.approver === null && may("findings:approve") && !isOwn ? (
        <Button size="small" loading={approve.isPending} onClick={() => approve.mutate(exception.id)}>
          {t("risk.approve")}
        </Button>
      ) : null}
      {may("findings:approve") || (isOwn && may("findings:write")) ? (
        <DeleteButton
          name={exception.policy}
          hint={t("admission.deleteHint")}
          onDelete={() => remove.mutateAsync(exception.id)}
        />
      ) : null}
    </span>
  );
}
