import { Button, Form, Input } from "antd";
import type { RiskDetail } from "../../api/contract.ts";
import { useCommentRisk } from "../../api/risks.ts";
import { useMay } from "../../api/session.ts";
import { HistoryList } from "../../components/history.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const LONG = 4_000;

/** What happened to a risk, the latest first, and a place to say something. */
export function History({ risk }: { readonly risk: RiskDetail }) {
  const { nameOf } = useSpeech();
  const may = useMay();
  return (
    <>
      {may("findings:write") ? <CommentForm id={risk.id} /> : null}
      <HistoryList entries={risk.history} nameOfAction={(action) => nameOf("riskAction", action)} />
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
