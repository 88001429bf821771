import { Form, Input, Select } from "antd";
import type { Channel, ChannelSettings } from "../../api/contract.ts";
import { useAddChannel, useChangeChannel } from "../../api/notifications.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { DeliveryFields } from "./delivery-fields.tsx";

const KINDS = ["webhook", "email", "slack", "dingtalk", "wecom", "feishu", "issue"] as const;
const TEMPLATE_ROWS = 6;
const TEMPLATE_EXAMPLE = '{"fields": {"project": {"key": "SEC"}, "summary": "{{subject}}", "description": "{{text}}"}}';

export function AddChannel() {
  const { t, language } = useSpeech();
  const add = useAddChannel();
  const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <FormModal<ChannelSettings>
      title={t("channels.add")}
      submit={t("save")}
      initial={{ kind: "webhook", digest: "none", language, timeZone }}
      sending={add.isPending}
      onSubmit={(values, close) => add.mutate(filled(values), { onSuccess: close })}
    >
      {(form) => (
        <Fields kindOf={() => form.getFieldValue("kind")} digestOf={() => form.getFieldValue("digest")} isNew />
      )}
    </FormModal>
  );
}

/** The kind of a channel stays; its address and secret are never shown, and stay unless new ones are given. */
export function EditChannel({ channel }: { readonly channel: Channel }) {
  const { t } = useSpeech();
  const change = useChangeChannel();
  const { id, name, kind, settings } = channel;
  return (
    <FormModal<ChannelSettings>
      title={t("edit")}
      submit={t("save")}
      initial={{ ...settings, name, kind }}
      sending={change.isPending}
      onSubmit={({ kind: _kind, ...values }, close) => change.mutate({ id, ...filled(values) }, { onSuccess: close })}
      small
    >
      {(form) => <Fields kindOf={() => kind} digestOf={() => form.getFieldValue("digest")} />}
    </FormModal>
  );
}

interface FieldsProps {
  readonly kindOf: () => ChannelSettings["kind"];
  readonly digestOf: () => ChannelSettings["digest"];
  readonly isNew?: boolean;
}

function Fields({ kindOf, digestOf, isNew = false }: FieldsProps) {
  const { t } = useSpeech();
  const required = [{ required: true, message: t("form.required") }];
  const keeps = isNew ? {} : { extra: t("channels.keep") };
  return (
    <>
      <Form.Item name="name" label={t("channels.name")} rules={required}>
        <Input maxLength={100} />
      </Form.Item>
      {isNew ? (
        <Form.Item name="kind" label={t("filters.kind")} rules={required}>
          <Select options={KINDS.map((value) => ({ value, label: t(`channelKind.${value}`) }))} />
        </Form.Item>
      ) : null}
      <Form.Item
        name="address"
        label={t("channels.address")}
        extra={t(isNew ? "channels.addressHint" : "channels.keep")}
        rules={isNew ? required : []}
      >
        <Input className="mono" maxLength={2000} spellCheck={false} />
      </Form.Item>
      <Form.Item name="secret" label={t("channels.secret")} extra={t("channels.secretHint")} {...keeps}>
        <Input.Password autoComplete="new-password" maxLength={1000} />
      </Form.Item>
      <Form.Item noStyle dependencies={["kind"]}>
        {() => (kindOf() === "email" ? <MailFields /> : kindOf() === "issue" ? <IssueFields /> : null)}
      </Form.Item>
      <DeliveryFields digestOf={digestOf} />
    </>
  );
}

function MailFields() {
  const { t } = useSpeech();
  const required = [{ required: true, message: t("form.required") }];
  return (
    <>
      <Form.Item name="username" label={t("channels.username")}>
        <Input maxLength={320} autoComplete="off" spellCheck={false} />
      </Form.Item>
      <Form.Item name="from" label={t("channels.from")} rules={required}>
        <Input type="email" maxLength={200} />
      </Form.Item>
      <Form.Item name="to" label={t("channels.to")} extra={t("channels.toHint")} rules={required}>
        <Select mode="tags" tokenSeparators={[",", " "]} open={false} suffixIcon={null} />
      </Form.Item>
    </>
  );
}

function IssueFields() {
  const { t } = useSpeech();
  return (
    <>
      <Form.Item name="username" label={t("channels.username")}>
        <Input maxLength={320} autoComplete="off" spellCheck={false} />
      </Form.Item>
      <Form.Item
        name="template"
        label={t("channels.template")}
        extra={t("channels.templateHint")}
        rules={[{ required: true, message: t("form.required") }]}
      >
        <Input.TextArea
          className="mono"
          rows={TEMPLATE_ROWS}
          maxLength={20_000}
          spellCheck={false}
          placeholder={TEMPLATE_EXAMPLE}
        />
      </Form.Item>
    </>
  );
}

/** Without fields that were left empty. */
function filled<Values extends object>(values: Values): Values {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined && value !== "" && value !== null);
  return Object.fromEntries(entries) as Values;
}
