import { Drawer, Form, Input, InputNumber } from "antd";
import { useBaselines, useLearnBaseline } from "../../api/baselines.ts";
import type { Baseline } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { ClusterSelect } from "../../components/cluster-select.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { eitherOf } from "../../components/either-of.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { FormModal } from "../../components/form-modal.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { BaselineDetails } from "./baseline-details.tsx";

const TWO_LINES_PX = 48;
const WIDTH_PX = 860;
const USUAL_DAYS = 7;
const MOST_DAYS = 90;
const TONES: Readonly<Record<string, string>> = {
  learning: "tone-low",
  proposed: "tone-medium",
  active: "tone-good",
  retired: "tone-other",
};

/** What pods of a scope were seen to be, for policies that admit that and name what is new. */
export function Baselines() {
  const { t } = useSpeech();
  const rows = useBaselines();
  const url = useUrlState();
  const columns = useColumns(({ id }) => url.set({ baseline: String(id) }));
  const learn = useMay()("runtime:write") ? <Learn /> : null;
  const shown = rows.items.find(({ id }) => String(id) === url.value("baseline"));
  return (
    <div className="stack">
      <div className="filters">
        {learn}
        <span className="quiet">{t("baseline.hint")}</span>
      </div>
      <DataTable
        label={t("admission.baselines")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("baseline.none")} hint={t("baseline.noneHint")} />}
      />
      <Drawer
        open={shown !== undefined}
        onClose={() => url.set({ baseline: undefined })}
        size={WIDTH_PX}
        destroyOnHidden
        title={<SafeText value={shown === undefined ? "" : placeOf(shown)} />}
        closable={{ "aria-label": t("close") }}
      >
        {shown === undefined ? null : <BaselineDetails id={shown.id} />}
      </Drawer>
    </div>
  );
}

function placeOf({ cluster, namespace, label }: Baseline): string {
  const of = label === null ? "" : ` ${label.name}=${label.value}`;
  return `${cluster.name}${namespace === "" ? "" : `/${namespace}`}${of}`;
}

interface Values {
  readonly cluster: number;
  readonly namespace?: string;
  readonly labelName?: string;
  readonly labelValue?: string;
  readonly days: number;
}

function Learn() {
  const { t } = useSpeech();
  const learn = useLearnBaseline();
  const required = [{ required: true, message: t("form.required") }];
  const send = ({ cluster, namespace = "", labelName = "", labelValue = "", days }: Values, close: () => void) =>
    learn.mutate(
      {
        ...{ cluster, days },
        ...(namespace === "" ? {} : { namespace }),
        ...(labelName === "" ? {} : { label: { name: labelName, value: labelValue } }),
      },
      { onSuccess: close },
    );
  return (
    <FormModal<Values>
      title={t("baseline.learn")}
      submit={t("baseline.learn")}
      initial={{ days: USUAL_DAYS }}
      sending={learn.isPending}
      onSubmit={send}
    >
      {() => (
        <>
          <p className="quiet form-alert">{t("baseline.learnHint")}</p>
          <Form.Item name="cluster" label={t("baseline.cluster")} rules={required}>
            <ClusterSelect />
          </Form.Item>
          <Form.Item
            name="namespace"
            label={t("admission.namespace")}
            dependencies={["labelName"]}
            rules={[eitherOf("labelName", t("baseline.scopeNeeded"))]}
          >
            <Input className="mono" maxLength={63} spellCheck={false} />
          </Form.Item>
          <Form.Item name="labelName" label={t("baseline.labelName")} extra={t("baseline.labelHint")}>
            <Input className="mono" maxLength={317} spellCheck={false} />
          </Form.Item>
          <Form.Item name="labelValue" label={t("baseline.labelValue")}>
            <Input className="mono" maxLength={63} spellCheck={false} />
          </Form.Item>
          <Form.Item name="days" label={t("baseline.days")} rules={required}>
            <InputNumber min={1} max={MOST_DAYS} />
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}

function useColumns(onOpen: (baseline: Baseline) => void): readonly Column<Baseline>[] {
  const { t, nameOf, format } = useSpeech();
  return [
    {
      key: "of",
      title: t("baseline.of"),
      cell: (baseline) => (
        <TwoLines second={<SafeText value={baseline.startedBy} />}>
          <button type="button" className="link-button" onClick={() => onOpen(baseline)}>
            <SafeText value={placeOf(baseline)} />
          </button>
        </TwoLines>
      ),
    },
    {
      key: "state",
      title: t("filters.state"),
      width: 190,
      cell: ({ state, learnUntil, problem }) => (
        <TwoLines
          second={
            problem === "" ? (
              state === "learning" && t("baseline.until", { day: format.date(learnUntil) })
            ) : (
              <SafeText value={problem} />
            )
          }
        >
          <span>
            <span className={`tag ${TONES[state] ?? "tone-other"}`}>{nameOf("baselineState", state)}</span>
          </span>
        </TwoLines>
      ),
    },
    {
      key: "pods",
      title: t("baseline.pods"),
      width: 110,
      numeric: true,
      cell: ({ pods }) => format.number(pods),
    },
    {
      key: "excluded",
      title: t("baseline.excluded"),
      width: 130,
      numeric: true,
      cell: ({ excluded }) => format.number(excluded),
    },
    { key: "policy", title: t("admission.policy"), width: 220, cell: ({ policy }) => <SafeText value={policy} /> },
  ];
}
