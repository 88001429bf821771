import { Button, DatePicker, Form, Input, Modal, Select } from "antd";
import { useState } from "react";
import { useAccounts } from "../../api/administration.ts";
import type { RiskDetail } from "../../api/contract.ts";
import { useAcceptRisk, useApproveRisk, useAssignRisk, useRefuseRisk, useStartRisk } from "../../api/risks.ts";
import { useMay } from "../../api/session.ts";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";

interface Props {
  readonly risk: RiskDetail;
}

const SHOWN_NAME = 60;
const OPEN_STATES = ["open", "assigned", "reopened"];

/** What may be done with a risk. Closing is not among it: a scan closes what it sees gone. */
export function Actions({ risk }: Props) {
  const { t } = useSpeech();
  const may = useMay();
  const start = useStartRisk(risk.id);
  const approve = useApproveRisk(risk.id);
  const refuse = useRefuseRisk(risk.id);
  if (!may("findings:write") || risk.state === "fixed") return null;
  const awaits = risk.accepted !== null && risk.accepted.approvedBy === null;
  return (
    <>
      <Assign risk={risk} />
      {OPEN_STATES.includes(risk.state) ? (
        <Button loading={start.isPending} onClick={() => start.mutate(undefined)}>
          {t("risk.start")}
        </Button>
      ) : null}
      {risk.accepted === null ? <Accept risk={risk} /> : null}
      {awaits && may("findings:approve") ? (
        <>
          <Button loading={refuse.isPending} onClick={() => refuse.mutate(undefined)}>
            {t("risk.refuse")}
          </Button>
          <Button type="primary" loading={approve.isPending} onClick={() => approve.mutate(undefined)}>
            {t("risk.approve")}
          </Button>
        </>
      ) : null}
    </>
  );
}

function Assign({ risk }: Props) {
  const { t } = useSpeech();
  const [open, setOpen] = useState(false);
  const accounts = useAccounts();
  const assign = useAssignRisk(risk.id);
  const [form] = Form.useForm<{ accountId: number }>();
  const required = [{ required: true, message: t("form.required") }];
  return (
    <>
      <Button onClick={() => setOpen(true)}>{t("risk.assign")}</Button>
      <Modal
        open={open}
        title={t("risk.assign")}
        okText={t("risk.assign")}
        confirmLoading={assign.isPending}
        onOk={form.submit}
        onCancel={() => setOpen(false)}
        destroyOnHidden
      >
        <Form
          form={form}
          layout="vertical"
          onFinish={(values) => assign.mutate(values, { onSuccess: () => setOpen(false) })}
        >
          <Form.Item name="accountId" label={t("risks.assignee")} rules={required}>
            <Select
              showSearch={{ optionFilterProp: "label" }}
              options={accounts.items.map(({ id, name }) => ({ value: id, label: visible(name, SHOWN_NAME) }))}
            />
          </Form.Item>
        </Form>
      </Modal>
    </>
  );
}

interface Acceptance {
  readonly reason: string;
  readonly until: { format(form: string): string };
}

function Accept({ risk }: Props) {
  const { t } = useSpeech();
  const [open, setOpen] = useState(false);
  const accept = useAcceptRisk(risk.id);
  const [form] = Form.useForm<Acceptance>();
  const required = [{ required: true, message: t("form.required") }];
  const send = ({ reason, until }: Acceptance) =>
    accept.mutate({ reason, until: until.format("YYYY-MM-DD") }, { onSuccess: () => setOpen(false) });
  return (
    <>
      <Button onClick={() => setOpen(true)}>{t("risk.accept")}</Button>
      <Modal
        open={open}
        title={t("risk.accept")}
        okText={t("risk.askApproval")}
        confirmLoading={accept.isPending}
        onOk={form.submit}
        onCancel={() => setOpen(false)}
        destroyOnHidden
      >
        <p className="quiet">{t("risk.acceptHint")}</p>
        <br />
        <Form form={form} layout="vertical" onFinish={send}>
          <Form.Item name="reason" label={t("risk.reason")} rules={required}>
            <Input.TextArea rows={3} maxLength={2000} />
          </Form.Item>
          <Form.Item name="until" label={t("risk.until")} rules={required}>
            <DatePicker />
          </Form.Item>
        </Form>
      </Modal>
    </>
  );
}
