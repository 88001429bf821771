import { Button, Form, Input } from "antd";
import { useChangeAlert } from "../../api/alerts.ts";
import type { AlertDetail } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { HistoryList } from "../../components/history.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";

const LONG = 4_000;
/** The state of a response and, once it has ended, what its node says. */
const RESPONSE = /^([a-z-]+)(?:: ([\s\S]*))?$/;

/** What people and the platform did about an alert, the latest first, and a place for a note. */
export function AlertHistory({ alert }: { readonly alert: AlertDetail }) {
  const { t, nameOf } = useSpeech();
  const may = useMay();
  const told = useServerTexts();
  /** What a response is, or came to, in words; what people wrote stays. */
  const detailOf = ({ action, detail }: AlertDetail["history"][number]) => {
    const [, state = "", rest = ""] = (action.startsWith("response.") && RESPONSE.exec(detail)) || [];
    if (state === "") return detail;
    return [nameOf("responseState", state), told.outcome(rest)].filter((part) => part !== "").join(" · ");
  };
  return (
    <>
      {may("alerts:write") ? <NoteForm id={alert.id} /> : null}
      {alert.history.length === 0 ? <p className="quiet">{t("alert.noHistory")}</p> : null}
      <HistoryList
        entries={alert.history.map((entry) => ({ ...entry, detail: detailOf(entry) }))}
        nameOfAction={(action) => nameOf("alertAction", action)}
      />
    </>
  );
}

function NoteForm({ id }: { readonly id: number }) {
  const { t } = useSpeech();
  const change = useChangeAlert(id);
  const [form] = Form.useForm<{ note: string }>();
  const send = (body: { note: string }) => change.mutate(body, { onSuccess: () => form.resetFields() });
  return (
    <Form form={form} onFinish={send} className="comment-form">
      <Form.Item name="note" rules={[{ required: true, whitespace: true, message: t("form.required") }]}>
        <Input.TextArea aria-label={t("alert.note")} placeholder={t("alert.note")} rows={2} maxLength={LONG} />
      </Form.Item>
      <Button htmlType="submit" loading={change.isPending}>
        {t("risk.send")}
      </Button>
    </Form>
  );
}
