import { Alert, Button, Drawer, Form, Input } from "antd";
import { useState } from "react";
import type { RuleFile } from "../../api/contract.ts";
import { usePutRuleFile } from "../../api/runtime-rules.ts";
import { useMay } from "../../api/session.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { Problems } from "./problems.tsx";
import "./rules.css";

const WIDTH_PX = 900;
const ROWS = 24;
const MAX_CHARACTERS = 900_000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

interface Props {
  readonly file: Pick<RuleFile, "name" | "content" | "enabled">;
  readonly onClose: () => void;
}

interface Values {
  readonly name: string;
  readonly content: string;
}

/** A file of rules to write, to load from a disk and to try out. Nothing changes before it is saved. */
export function FileEditor({ file, onClose }: Props) {
  const { t } = useSpeech();
  const mayWrite = useMay()("runtime:write");
  const [form] = Form.useForm<Values>();
  const check = usePutRuleFile();
  const save = usePutRuleFile();
  const [isStale, setStale] = useState(false);
  const checked = save.data ?? (isStale ? undefined : check.data);
  const tryOut = async () => {
    const values = await form.validateFields();
    check.mutate({ ...values, dryRun: true }, { onSuccess: () => setStale(false) });
  };
  const keep = (values: Values) =>
    save.mutate(
      { ...values, enabled: file.enabled },
      { onSuccess: ({ problems }) => (problems.length === 0 ? onClose() : undefined) },
    );
  return (
    <Drawer
      open
      onClose={onClose}
      size={WIDTH_PX}
      title={file.name === "" ? t("ruleFiles.add") : file.name}
      closable={{ "aria-label": t("close") }}
      footer={
        mayWrite ? (
          <div className="row-actions">
            <Button loading={check.isPending} onClick={() => void tryOut()}>
              {t("ruleFiles.check")}
            </Button>
            <Button type="primary" loading={save.isPending} onClick={form.submit}>
              {t("save")}
            </Button>
          </div>
        ) : null
      }
    >
      <div className="stack">
        {checked === undefined ? null : (
          <div className="stack" role="status">
            {checked.problems.length === 0 ? (
              <Alert type="success" showIcon title={t("ruleFiles.good", { n: checked.rules })} />
            ) : (
              <p>{t("ruleFiles.usable", { n: checked.rules })}</p>
            )}
            <Problems problems={checked.problems} />
          </div>
        )}
        <Form<Values>
          form={form}
          layout="vertical"
          className="stack-form"
          initialValues={{ name: file.name, content: file.content }}
          onValuesChange={() => setStale(true)}
          onFinish={keep}
          disabled={!mayWrite}
        >
          <Form.Item
            name="name"
            label={t("ruleFiles.name")}
            rules={[{ required: true, pattern: NAME, message: t("ruleFiles.nameRule") }]}
          >
            <Input className="mono" maxLength={100} disabled={file.name !== ""} placeholder="team-rules.yaml" />
          </Form.Item>
          <LoadFile
            onLoaded={(values) => form.setFieldsValue(file.name === "" ? values : { content: values.content })}
          />
          <Form.Item
            name="content"
            label={t("ruleFiles.content")}
            rules={[{ required: true, message: t("form.required") }]}
          >
            <Input.TextArea className="mono" rows={ROWS} maxLength={MAX_CHARACTERS} spellCheck={false} wrap="off" />
          </Form.Item>
        </Form>
      </div>
    </Drawer>
  );
}

function LoadFile({ onLoaded }: { readonly onLoaded: (values: Values) => void }) {
  const { t } = useSpeech();
  const read = async (file: File | undefined) => {
    if (file === undefined) return;
    const name = file.name.replace(/[^A-Za-z0-9._-]/g, "-").slice(0, 100);
    onLoaded({ name, content: await file.slice(0, MAX_CHARACTERS).text() });
  };
  return (
    <Form.Item label={t("ruleFiles.load")}>
      <input
        type="file"
        accept=".yaml,.yml,text/plain"
        aria-label={t("ruleFiles.load")}
        onChange={(event) => void read(event.target.files?.[0])}
      />
    </Form.Item>
  );
}
