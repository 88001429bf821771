import { Form, InputNumber } from "antd";
import { useRuntimeRetention, useSetRuntimeRetention } from "../../api/runtime-events.ts";
import { useMay } from "../../api/session.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const MAX_DAYS = 3_650;

/** How long events are kept, and a form to keep them for a shorter time. */
export function Retention() {
  const { t } = useSpeech();
  const mayWrite = useMay()("admin:write");
  const retention = useRuntimeRetention();
  const set = useSetRuntimeRetention();
  if (retention.data === undefined) return null;
  const { days, bound } = retention.data;
  const kept = Math.min(days ?? MAX_DAYS, bound?.days ?? MAX_DAYS);
  const told = days === null && bound === null ? t("retention.title") : t("retention.kept", { n: kept });
  if (!mayWrite) return <span className="quiet">{told}</span>;
  return (
    <FormModal<{ readonly days: number | null }>
      title={told}
      submit={t("save")}
      kind="default"
      initial={{ days }}
      sending={set.isPending}
      onSubmit={({ days: chosen = null }, close) => set.mutate(chosen, { onSuccess: close })}
    >
      {() => (
        <>
          <p className="quiet">
            {bound === null ? t("retention.hint") : t("retention.bound", { n: bound.days, size: bound.gib })}
          </p>
          <Form.Item name="days" label={t("retention.days")} extra={t("retention.empty")}>
            <InputNumber min={1} max={bound?.days ?? MAX_DAYS} precision={0} />
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}
