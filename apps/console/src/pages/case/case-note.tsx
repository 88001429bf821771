import { Form, Input } from "antd";
import type { Case } from "../../api/contract.ts";
import { useChangeCase } from "../../api/search.ts";
import { useMay } from "../../api/session.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { Panel } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const LONG = 20_000;

interface Entered {
  readonly title: string;
  readonly note: string;
}

/** What those who work on a case tell each other. */
export function CaseNote({ opened }: { readonly opened: Case }) {
  const { t } = useSpeech();
  if (opened.note === "") return null;
  return (
    <Panel title={t("cases.note")}>
      <SafeText value={opened.note} wrap max={LONG} />
    </Panel>
  );
}

export function EditCase({ opened }: { readonly opened: Case }) {
  const { t } = useSpeech();
  const change = useChangeCase();
  if (!useMay()("findings:write")) return null;
  return (
    <FormModal<Entered>
      title={t("cases.edit")}
      submit={t("save")}
      initial={{ title: opened.title, note: opened.note }}
      sending={change.isPending}
      onSubmit={(values, close) => change.mutate({ id: opened.id, ...values }, { onSuccess: close })}
    >
      {() => (
        <>
          <Form.Item name="title" label={t("cases.name")} rules={[{ required: true, message: t("form.required") }]}>
            <Input maxLength={200} />
          </Form.Item>
          <Form.Item name="note" label={t("cases.note")} extra={t("cases.noteHint")}>
            <Input.TextArea rows={8} maxLength={LONG} />
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}
