import { App, DatePicker, Form, Input, Select } from "antd";
import { useAskException, useBenchmarkChecks, useBenchmarkPlaces } from "../../api/benchmarks.ts";
import type { NewBenchmarkException } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { useExplain } from "../../components/explain.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";

const SHOWN_NAME = 80;

interface Asked {
  readonly check: string;
  /** `tenant`, `node 3`, `cluster 2` */
  readonly place: string;
  readonly namespace?: string;
  readonly reason: string;
  readonly until: { format(form: string): string };
}

interface Props {
  readonly check?: string;
  readonly nodeId?: number | null;
  readonly clusterId?: number | null;
}

/** Asks that a check may fail at a place until a day; somebody else has to approve it. */
export function AskException({ check, nodeId, clusterId }: Props) {
  const { t } = useSpeech();
  const { message } = App.useApp();
  const explain = useExplain();
  const ask = useAskException();
  if (!useMay()("runtime:write")) return null;
  const place =
    typeof nodeId === "number" ? `node ${nodeId}` : typeof clusterId === "number" ? `cluster ${clusterId}` : "tenant";
  const required = [{ required: true, message: t("form.required") }];
  const send = ({ until, ...rest }: Asked, close: () => void) => {
    const body: NewBenchmarkException = {
      ...scopeOf(rest),
      check: rest.check,
      reason: rest.reason,
      until: until.format("YYYY-MM-DD"),
    };
    ask.mutate(body, { onSuccess: close, onError: (error) => void message.error(explain(error).title) });
  };
  return (
    <FormModal<Asked>
      title={t("benchmarks.askException")}
      submit={t("risk.askApproval")}
      kind="default"
      initial={{ place, ...(check === undefined ? {} : { check }) }}
      sending={ask.isPending}
      onSubmit={send}
    >
      {() => (
        <>
          <CheckField />
          <PlaceFields />
          <Form.Item name="reason" label={t("benchmarks.reason")} rules={required}>
            <Input.TextArea rows={3} maxLength={2000} />
          </Form.Item>
          <Form.Item name="until" label={t("benchmarks.until")} rules={required}>
            <DatePicker />
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}

/** The scope that the fields of a form name. */
export function scopeOf({ place, namespace }: { readonly place: string; readonly namespace?: string }) {
  const [scope, id] = place.split(" ");
  const scopeId = id === undefined ? {} : { scopeId: Number(id) };
  if (namespace !== undefined && namespace !== "")
    return { scope: "namespace" as const, namespace, ...(scope === "cluster" ? scopeId : {}) };
  return { scope: scope as "tenant" | "node" | "cluster", ...scopeId };
}

/** A check by its title. */
export function CheckField() {
  const { t } = useSpeech();
  const texts = useServerTexts();
  const checks = useBenchmarkChecks().data?.items ?? [];
  const options = checks.map(({ id, title }) => ({ value: id, label: texts.benchmarkTitle(id, title) }));
  return (
    <Form.Item name="check" label={t("benchmarks.check")} rules={[{ required: true, message: t("form.required") }]}>
      <Select showSearch={{ optionFilterProp: "label" }} options={options} />
    </Form.Item>
  );
}

/** Everywhere, a node, a cluster, or a namespace. */
export function PlaceFields() {
  const { t } = useSpeech();
  const places = useBenchmarkPlaces().data?.items ?? [];
  const named = places.map(({ nodeId, clusterId, name }) => ({
    value: nodeId === null ? `cluster ${clusterId}` : `node ${nodeId}`,
    label: visible(name, SHOWN_NAME),
  }));
  return (
    <>
      <Form.Item name="place" label={t("benchmarks.where")} rules={[{ required: true, message: t("form.required") }]}>
        <Select options={[{ value: "tenant", label: t("benchmarkScope.tenant") }, ...named]} />
      </Form.Item>
      <Form.Item name="namespace" label={t("benchmarks.namespace")}>
        <Input className="mono" maxLength={253} spellCheck={false} />
      </Form.Item>
    </>
  );
}
