import { App, Checkbox, Form, Input } from "antd";
import { useBenchmarkTunings, useRemoveTuning, useSetTuning } from "../../api/benchmarks.ts";
import type { BenchmarkTuning } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { useExplain } from "../../components/explain.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { CheckField, PlaceFields, scopeOf } from "./ask-exception.tsx";

const TWO_LINES_PX = 48;

/** Checks that are off, or have other parameters, somewhere. */
export function Tunings() {
  const { t, nameOf } = useSpeech();
  const may = useMay()("runtime:write");
  const rows = useBenchmarkTunings();
  const remove = useRemoveTuning();
  const columns: readonly Column<BenchmarkTuning>[] = [
    {
      key: "check",
      title: t("benchmarks.check"),
      cell: ({ check, reason }) => (
        <TwoLines second={<SafeText value={reason} />}>
          <SafeText value={check} mono />
        </TwoLines>
      ),
    },
    {
      key: "place",
      title: t("benchmarks.where"),
      width: 180,
      cell: ({ scope, place }) => (
        <TwoLines second={<SafeText value={place} />}>
          <span>{nameOf("benchmarkScope", scope)}</span>
        </TwoLines>
      ),
    },
    {
      key: "parameters",
      title: t("benchmarks.parameters"),
      cell: ({ off, parameters }) =>
        off ? (
          <span className="tag tone-other">{t("benchmarks.off")}</span>
        ) : (
          <SafeText value={shown(parameters)} mono />
        ),
    },
    {
      key: "actions",
      title: t("actions"),
      width: 100,
      numeric: true,
      cell: ({ id, check }) =>
        may ? (
          <DeleteButton name={check} hint={t("benchmarks.removeHint")} onDelete={() => remove.mutateAsync(id)} />
        ) : null,
    },
  ];
  return (
    <>
      <h2>{t("benchmarks.tunings")}</h2>
      {may ? <Tune /> : null}
      <DataTable
        label={t("benchmarks.tunings")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("benchmarks.noTuningsTitle")} hint={t("benchmarks.noTuningsHint")} />}
      />
    </>
  );
}

interface Tuned {
  readonly check: string;
  readonly place: string;
  readonly namespace?: string;
  readonly off?: boolean;
  readonly parameters?: string;
  readonly reason: string;
}

function Tune() {
  const { t } = useSpeech();
  const { message } = App.useApp();
  const explain = useExplain();
  const set = useSetTuning();
  const send = ({ parameters = "", off = false, ...rest }: Tuned, close: () => void) =>
    set.mutate(
      { ...scopeOf(rest), check: rest.check, reason: rest.reason, off, parameters: parametersOf(parameters) },
      { onSuccess: close, onError: (error) => void message.error(explain(error).title) },
    );
  return (
    <FormModal<Tuned>
      title={t("benchmarks.tune")}
      submit={t("save")}
      kind="default"
      initial={{ place: "tenant" }}
      sending={set.isPending}
      onSubmit={send}
    >
      {() => (
        <>
          <CheckField />
          <PlaceFields />
          <Form.Item name="off" valuePropName="checked">
            <Checkbox>{t("benchmarks.switchOff")}</Checkbox>
          </Form.Item>
          <Form.Item name="parameters" label={t("benchmarks.parameters")} extra={t("benchmarks.parametersHint")}>
            <Input.TextArea className="mono" rows={2} maxLength={2000} spellCheck={false} />
          </Form.Item>
          <Form.Item
            name="reason"
            label={t("benchmarks.reason")}
            rules={[{ required: true, message: t("form.required") }]}
          >
            <Input.TextArea rows={2} maxLength={2000} />
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}

function shown(parameters: Readonly<Record<string, unknown>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(" ");
}

/** `days=90` and the like, one in each line. */
function parametersOf(text: string): Record<string, string | number | boolean | string[]> {
  const pairs = text
    .split("\n")
    .flatMap((line): readonly (readonly [string, string | number | boolean | string[]])[] => {
      const at = line.indexOf("=");
      if (at < 1) return [];
      const [name, value] = [line.slice(0, at).trim(), line.slice(at + 1).trim()];
      if (value.includes(",") || value === "") return [[name, value.split(",").filter((each) => each !== "")]];
      if (/^\d+$/.test(value)) return [[name, Number(value)]];
      return [[name, value === "true" || value === "false" ? value === "true" : value]];
    });
  return Object.fromEntries(pairs);
}
