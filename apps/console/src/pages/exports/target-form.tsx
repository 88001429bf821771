import { RUNTIME_EVENT_TYPES } from "@bulwark/model";
import { Checkbox, Form, Input, Select } from "antd";
import type { ExportSettings, ExportTarget } from "../../api/contract.ts";
import { usePutExport } from "../../api/exports.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const KINDS = ["syslog", "webhook", "kafka"] as const;
const FORMATS = ["ocsf", "native"] as const;
const MECHANISMS = ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] as const;
const EXAMPLES: Readonly<Record<string, string>> = {
  syslog: "tls://logs.example.com:6514",
  webhook: "https://siem.example.com/in",
  kafka: "kafka+tls://broker-1:9093,broker-2:9093",
};

/** What a target is set to, as the server takes it. */
export function settingsOf(target: ExportTarget): ExportSettings {
  const { name, kind, address, format, settings, alerts, events, eventTypes, enabled } = target;
  return { name, kind, address, format, settings, alerts, events, eventTypes, enabled } as ExportSettings;
}

export function AddTarget() {
  const { t } = useSpeech();
  const initial = { kind: "syslog", format: "ocsf", alerts: true, events: false } as const;
  return <TargetForm title={t("exports.add")} initial={initial} />;
}

/** Its name stays; the secret stays too, as long as the address does and no new one is given. */
export function EditTarget({ target }: { readonly target: ExportTarget }) {
  const { t } = useSpeech();
  return <TargetForm title={t("edit")} initial={settingsOf(target)} isNew={false} />;
}

interface FormProps {
  readonly title: string;
  readonly initial: Partial<ExportSettings>;
  readonly isNew?: boolean;
}

function TargetForm({ title, initial, isNew = true }: FormProps) {
  const { t } = useSpeech();
  const put = usePutExport();
  const send = (values: ExportSettings, close: () => void) =>
    put.mutate({ ...initial, ...given(values) }, { onSuccess: close });
  return (
    <FormModal<ExportSettings>
      title={title}
      submit={t("save")}
      initial={initial}
      sending={put.isPending}
      small={!isNew}
      onSubmit={send}
    >
      {(form) => (
        <>
          <PlaceFields isNew={isNew} kindOf={() => form.getFieldValue("kind")} />
          <WhatFields isNew={isNew} sendsEvents={() => form.getFieldValue("events") === true} />
          <Form.Item name={["settings", "caPem"]} label={t("registries.ca")} extra={t("channels.caHint")}>
            <Input.TextArea className="mono" rows={2} maxLength={100_000} spellCheck={false} />
          </Form.Item>
          <Form.Item name={["settings", "allowPrivate"]} valuePropName="checked" extra={t("registries.privateHint")}>
            <Checkbox>{t("registries.private")}</Checkbox>
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}

/** A field that was left empty is none. */
function given({ secret = "", settings = {}, ...values }: ExportSettings): ExportSettings {
  const set = Object.entries(settings).filter(([, value]) => value !== "" && value !== undefined && value !== null);
  return { ...values, settings: Object.fromEntries(set), ...(secret === "" ? {} : { secret }) };
}

function PlaceFields({ isNew, kindOf }: { readonly isNew: boolean; readonly kindOf: () => ExportSettings["kind"] }) {
  const { t } = useSpeech();
  const required = [{ required: true, message: t("form.required") }];
  return (
    <>
      <div className="form-row">
        <Form.Item name="name" label={t("exports.name")} rules={required}>
          <Input maxLength={100} disabled={!isNew} />
        </Form.Item>
        <Form.Item name="kind" label={t("filters.kind")} rules={required}>
          <Select options={KINDS.map((value) => ({ value, label: t(`exportKind.${value}`) }))} />
        </Form.Item>
        <Form.Item name="format" label={t("exports.format")}>
          <Select options={FORMATS.map((value) => ({ value, label: t(`exportFormat.${value}`) }))} />
        </Form.Item>
      </div>
      <Form.Item noStyle dependencies={["kind"]}>
        {() => (
          <>
            <Form.Item name="address" label={t("channels.address")} rules={required}>
              <Input className="mono" maxLength={2_000} spellCheck={false} placeholder={EXAMPLES[kindOf()] ?? ""} />
            </Form.Item>
            {kindOf() === "kafka" ? <KafkaFields /> : null}
            {kindOf() === "syslog" ? null : (
              <Form.Item
                name="secret"
                label={t(kindOf() === "kafka" ? "exports.password" : "channels.secret")}
                extra={t(isNew ? "exports.secretHint" : "exports.keepSecret")}
              >
                <Input.Password autoComplete="new-password" maxLength={1_000} />
              </Form.Item>
            )}
          </>
        )}
      </Form.Item>
    </>
  );
}

function KafkaFields() {
  const { t } = useSpeech();
  const required = [{ required: true, message: t("form.required") }];
  return (
    <div className="form-row">
      <Form.Item name={["settings", "topic"]} label={t("exports.topic")} rules={required}>
        <Input maxLength={249} spellCheck={false} />
      </Form.Item>
      <Form.Item name={["settings", "username"]} label={t("exports.username")}>
        <Input maxLength={200} spellCheck={false} autoComplete="off" />
      </Form.Item>
      <Form.Item name={["settings", "mechanism"]} label={t("exports.mechanism")}>
        <Select allowClear options={MECHANISMS.map((value) => ({ value, label: value }))} placeholder={MECHANISMS[0]} />
      </Form.Item>
    </div>
  );
}

function WhatFields({ isNew, sendsEvents }: { readonly isNew: boolean; readonly sendsEvents: () => boolean }) {
  const { t, nameOf } = useSpeech();
  return (
    <>
      <div className="form-row">
        <Form.Item name="alerts" valuePropName="checked">
          <Checkbox>{t("exports.alerts")}</Checkbox>
        </Form.Item>
        <Form.Item name="events" valuePropName="checked">
          <Checkbox>{t("exports.events")}</Checkbox>
        </Form.Item>
      </div>
      <Form.Item noStyle dependencies={["events"]}>
        {() =>
          sendsEvents() ? (
            <Form.Item name="eventTypes" label={t("exports.types")}>
              <Select
                mode="multiple"
                placeholder={t("exports.allEvents")}
                options={RUNTIME_EVENT_TYPES.map((value) => ({ value, label: nameOf("eventType", value) }))}
              />
            </Form.Item>
          ) : null
        }
      </Form.Item>
      {isNew ? null : (
        <Form.Item name="backlog" valuePropName="checked" extra={t("exports.backlogHint")}>
          <Checkbox>{t("exports.backlog")}</Checkbox>
        </Form.Item>
      )}
    </>
  );
}
