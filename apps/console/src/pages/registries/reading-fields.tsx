import { Checkbox, Form, Input, InputNumber } from "antd";
import { useSpeech } from "../../i18n/language.tsx";

/** How a registry is read: the fields of connecting and of editing one. */
export function ReadingFields() {
  const { t } = useSpeech();
  return (
    <>
      <Form.Item name="include" label={t("registries.include")} extra={t("registries.patternHint")}>
        <Input.TextArea className="mono" rows={2} spellCheck={false} />
      </Form.Item>
      <Form.Item name="exclude" label={t("registries.exclude")}>
        <Input.TextArea className="mono" rows={2} spellCheck={false} />
      </Form.Item>
      <Form.Item name="pollMinutes" label={t("registries.poll")}>
        <InputNumber min={0} max={10_080} />
      </Form.Item>
      <Form.Item name="caPem" label={t("registries.ca")} extra={t("registries.caHint")}>
        <Input.TextArea className="mono" rows={3} spellCheck={false} />
      </Form.Item>
      <Form.Item name="allowPrivate" valuePropName="checked" extra={t("registries.privateHint")}>
        <Checkbox>{t("registries.private")}</Checkbox>
      </Form.Item>
      <Form.Item name="plainHttp" valuePropName="checked" extra={t("registries.plainHint")}>
        <Checkbox>{t("registries.plain")}</Checkbox>
      </Form.Item>
    </>
  );
}
