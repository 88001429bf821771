import { Checkbox, Form, InputNumber, Select } from "antd";
import type { NewSensorUpgrade, SensorNode } from "../api/contract.ts";
import { useNodes, useSensorPrograms, useStartSensorUpgrade } from "../api/nodes.ts";
import { useSpeech } from "../i18n/language.tsx";
import { FormModal } from "./form-modal.tsx";
import { visible } from "./visible.ts";

const MAX_WAVE = 1_000;
const SHOWN_NAME = 60;

/** A button that upgrades the sensors of nodes: of the one that is given, else of those that are chosen. */
export function UpgradeSensors({ node }: { readonly node?: SensorNode }) {
  const { t } = useSpeech();
  const start = useStartSensorUpgrade();
  const programs = useSensorPrograms();
  const versions = [...new Set(programs.items.map(({ version }) => version))];
  const [newest] = versions;
  const required = [{ required: true, message: t("form.required") }];
  return (
    <FormModal<NewSensorUpgrade>
      title={t(node === undefined ? "upgrades.start" : "upgrades.startOne")}
      submit={t("upgrades.submit")}
      kind={node === undefined ? "primary" : "default"}
      initial={{ wave: 1, stopOnFailure: true, ...(newest === undefined ? {} : { version: newest }) }}
      sending={start.isPending}
      onSubmit={(values, close) =>
        start.mutate({ ...values, ...(node === undefined ? {} : { nodeIds: [node.id] }) }, { onSuccess: close })
      }
    >
      {(form) => (
        <>
          <p className="quiet">{t(versions.length === 0 ? "upgrades.noProgram" : "upgrades.hint")}</p>
          <Form.Item name="version" label={t("upgrades.version")} rules={required}>
            <Select options={versions.map((value) => ({ value, label: value }))} />
          </Form.Item>
          {node === undefined ? (
            <>
              <ChooseNodes onAll={(ids) => form.setFieldValue("nodeIds", ids)} />
              <Form.Item name="wave" label={t("upgrades.wave")} extra={t("upgrades.waveHint")}>
                <InputNumber min={1} max={MAX_WAVE} precision={0} />
              </Form.Item>
              <Form.Item name="stopOnFailure" valuePropName="checked">
                <Checkbox>{t("upgrades.stop")}</Checkbox>
              </Form.Item>
            </>
          ) : null}
        </>
      )}
    </FormModal>
  );
}

function ChooseNodes({ onAll }: { readonly onAll: (ids: readonly number[]) => void }) {
  const { t } = useSpeech();
  const nodes = useNodes();
  const options = nodes.items.map(({ id, hostname, sensorVersion }) => ({
    value: id,
    label: visible(`${hostname} (${sensorVersion})`, SHOWN_NAME),
  }));
  return (
    <Form.Item
      name="nodeIds"
      label={t("upgrades.nodes")}
      rules={[{ required: true, message: t("form.required") }]}
      extra={
        <button type="button" className="link-button" onClick={() => onAll(options.map(({ value }) => value))}>
          {t("upgrades.all", { n: options.length })}
        </button>
      }
    >
      <Select mode="multiple" options={options} optionFilterProp="label" maxTagCount={8} />
    </Form.Item>
  );
}
