import { DatePicker, Form, Input, Select } from "antd";
import { useAddHold } from "../../api/cleanups.ts";
import type { UnusedImage } from "../../api/contract.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";

const SHOWN_NAME = 80;
const MIN_REASON = 3;
const MAX_REASON = 2_000;

interface Values {
  readonly tag?: string;
  readonly reason: string;
  readonly until?: { format(form: string): string };
}

/** Keeps a repository, or one of its tags, from every cleanup. */
export function HoldForm({ image }: { readonly image: UnusedImage }) {
  const { t } = useSpeech();
  const hold = useAddHold();
  const send = ({ tag, reason, until }: Values, close: () => void) =>
    hold.mutate(
      {
        repositoryId: image.repositoryId,
        reason,
        ...(tag === undefined ? {} : { tag }),
        ...(until === undefined || until === null ? {} : { until: until.format("YYYY-MM-DD") }),
      },
      { onSuccess: close },
    );
  return (
    <FormModal<Values>
      title={t("unused.hold")}
      submit={t("unused.hold")}
      sending={hold.isPending}
      small
      onSubmit={send}
    >
      {() => (
        <>
          <Form.Item label={t("risks.repository")}>
            {visible(`${image.registry}/${image.repository}`, SHOWN_NAME)}
          </Form.Item>
          <Form.Item name="tag" label={t("unused.tag")} extra={t("unused.tagHint")}>
            <Select allowClear options={image.tags.map((value) => ({ value, label: visible(value, SHOWN_NAME) }))} />
          </Form.Item>
          <Form.Item
            name="reason"
            label={t("risk.reason")}
            rules={[
              { required: true, message: t("form.required") },
              { min: MIN_REASON, message: t("form.tooShort", { n: MIN_REASON }) },
            ]}
          >
            <Input.TextArea rows={3} maxLength={MAX_REASON} />
          </Form.Item>
          <Form.Item name="until" label={t("unused.until")} extra={t("unused.untilHint")}>
            <DatePicker />
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}
