import { Button, Form, Input } from "antd";
import type { RiskDetail } from "../../api/contract.ts";
import { useCommentRisk } from "../../api/risks.ts";
import { useMay } from "../../api/session.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import "./history.css";

const LONG = 4_000;

/** What happened to a risk, the latest first, and a place to say something. */
export function History({ risk }: { readonly risk: RiskDetail }) {
  const { nameOf, format } = useSpeech();
  const may = useMay();
  const entries = [...risk.history].reverse();
  return (
    <>
      {may("findings:write") ? <CommentForm id={risk.id} /> : null}
      <ol className="history">
        {entries.map((entry) => (
          <li key={`${entry.at}|${entry.actor}|${entry.action}|${entry.detail}`}>
            <p>
              <SafeText value={entry.actor} max={80} /> <span className="quiet">{format.time(entry.at)}</span>
            </p>
            <p>
              <SafeText value={nameOf("riskAction", entry.action)} />
            </p>
            {entry.detail === "" ? null : <SafeText value={entry.detail} wrap max={LONG} />}
          </li>
        ))}
      </ol>
    </>
  );
}

function CommentForm({ id }: { readonly id: number }) {
  const { t } = useSpeech();
  const comment = useCommentRisk(id);
  const [form] = Form.useForm<{ text: string }>();
  const send = (body: { text: string }) => comment.mutate(body, { onSuccess: () => form.resetFields() });
  return (
    <Form form={form} onFinish={send} className="comment-form">
      <Form.Item name="text" rules={[{ required: true, whitespace: true, message: t("form.required") }]}>
        <Input.TextArea aria-label={t("risk.comment")} placeholder={t("risk.comment")} rows={2} maxLength={LONG} />
      </Form.Item>
      <Button htmlType="submit" loading={comment.isPending}>
        {t("risk.send")}
      </Button>
    </Form>
  );
}
