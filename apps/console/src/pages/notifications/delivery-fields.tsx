import { Checkbox, Form, Input, Select } from "antd";
import type { ChannelSettings } from "../../api/contract.ts";
import { LANGUAGES, useSpeech } from "../../i18n/language.tsx";

const DIGESTS = ["none", "hourly", "daily"] as const;
const HOURS = Array.from({ length: 24 }, (_, hour) => ({ value: hour, label: `${String(hour).padStart(2, "0")}:00` }));

/** When and how messages of a channel are sent: language, gathered or at once, hours of quiet, what is trusted. */
export function DeliveryFields({ digestOf }: { readonly digestOf: () => ChannelSettings["digest"] }) {
  const { t } = useSpeech();
  return (
    <>
      <div className="form-row">
        <Form.Item name="language" label={t("channels.language")}>
          <Select options={LANGUAGES.map((value) => ({ value, label: t(`language.${value}`) }))} />
        </Form.Item>
        <Form.Item name="digest" label={t("rules.digest")}>
          <Select options={DIGESTS.map((value) => ({ value, label: t(`digest.${value}`) }))} />
        </Form.Item>
        <Form.Item noStyle dependencies={["digest"]}>
          {() =>
            digestOf() === "daily" ? (
              <Form.Item name="digestHour" label={t("channels.digestHour")}>
                <Select options={HOURS} />
              </Form.Item>
            ) : null
          }
        </Form.Item>
      </div>
      <div className="form-row">
        <Form.Item name="quietFrom" label={t("channels.quietFrom")}>
          <Input type="time" />
        </Form.Item>
        <Form.Item name="quietTo" label={t("channels.quietTo")}>
          <Input type="time" />
        </Form.Item>
        <Form.Item name="timeZone" label={t("schedules.timeZone")}>
          <Input maxLength={100} spellCheck={false} />
        </Form.Item>
      </div>
      <Form.Item name="caPem" label={t("registries.ca")} extra={t("channels.caHint")}>
        <Input.TextArea className="mono" rows={2} maxLength={100_000} spellCheck={false} />
      </Form.Item>
      <Form.Item name="allowPrivate" valuePropName="checked" extra={t("registries.privateHint")}>
        <Checkbox>{t("registries.private")}</Checkbox>
      </Form.Item>
    </>
  );
}
