import { Segmented, Select } from "antd";
import type { FixPlan, PlanMeasure, PlanStep } from "../../api/contract.ts";
import { usePlan } from "../../api/lineage.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Figure } from "../../components/figure.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { NodeName } from "../../components/node-name.tsx";
import { Page as Frame, Panel } from "../../components/page.tsx";
import { rowsOf } from "../../components/rows-of.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { type UrlState, useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { PlanCurve } from "./plan-curve.tsx";

const MEASURES = ["critical", "high", "exploited", "risk"] as const;
const GOALS = ["fixes", "share"] as const;
const FIXES = [1, 3, 5, 10, 20, 50, 100, 200] as const;
const SHARES = [25, 50, 60, 70, 80, 90, 95] as const;
const USUAL = { fixes: 10, share: 50 } as const;
const FULL = 100;
const TWO_LINES_PX = 48;

export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const measure = url.oneOf("measure", MEASURES) ?? "critical";
  const goal = url.oneOf("goal", GOALS) ?? "fixes";
  const choices: readonly number[] = goal === "fixes" ? FIXES : SHARES;
  const asked = choices.find((choice) => choice === url.integer("value")) ?? USUAL[goal];
  const plan = usePlan({ measure, ...(goal === "fixes" ? { fixes: asked } : { share: asked / FULL }) });
  return (
    <Frame title={t("plan.title")} lead={t("plan.lead")}>
      <Choose url={url} measure={measure} goal={goal} asked={asked} />
      <Loaded query={plan} rows={10}>
        {(data) => <Content plan={data} measure={measure} />}
      </Loaded>
    </Frame>
  );
}

interface ChooseProps {
  readonly url: UrlState;
  readonly measure: PlanMeasure;
  readonly goal: (typeof GOALS)[number];
  readonly asked: number;
}

function Choose({ url, measure, goal, asked }: ChooseProps) {
  const { t, format } = useSpeech();
  const choices: readonly number[] = goal === "fixes" ? FIXES : SHARES;
  const values = choices.map((value) => ({
    value,
    label: goal === "fixes" ? t("plan.fixCount", { n: value }) : format.percent(value / FULL),
  }));
  return (
    <search className="filters">
      <Select
        aria-label={t("plan.measure")}
        value={measure}
        options={MEASURES.map((value) => ({ value, label: t(`planMeasure.${value}`) }))}
        onChange={(value) => url.set({ measure: value })}
        popupMatchSelectWidth={false}
      />
      <Segmented
        aria-label={t("plan.goal")}
        value={goal}
        options={GOALS.map((value) => ({ value, label: t(`planGoal.${value}`) }))}
        onChange={(value) => url.set({ goal: value, value: undefined })}
      />
      <Select
        aria-label={t(`planGoal.${goal}`)}
        value={asked}
        options={values}
        onChange={(value: number) => url.set({ value: String(value) })}
        popupMatchSelectWidth={false}
      />
    </search>
  );
}

function Content({ plan, measure }: { readonly plan: FixPlan; readonly measure: PlanMeasure }) {
  const { t, format } = useSpeech();
  const columns = useColumns();
  if (plan.steps.length === 0) return <EmptyState title={t("plan.emptyTitle")} hint={t("plan.emptyHint")} />;
  return (
    <>
      <div className="columns">
        <Panel title={t("plan.result")}>
          <div className="stack">
            <p>
              <strong>
                {t("plan.say", {
                  n: plan.stepCount,
                  share: format.percent(plan.total === 0 ? 0 : plan.cleared / plan.total),
                  what: t(`planMeasure.${measure}`),
                  images: plan.images,
                })}
              </strong>
            </p>
            <div className="figures">
              <Figure name={t("plan.steps")} value={format.number(plan.stepCount)} />
              <Figure name={t("plan.cleared")} value={format.number(Math.round(plan.cleared))} />
              <Figure name={t("plan.total")} value={format.number(Math.round(plan.total))} />
              <Figure name={t("nav.images")} value={format.number(plan.images)} />
            </div>
            {plan.reached ? null : <p className="note tone-medium">{t("plan.notReached")}</p>}
            <p className="quiet">
              <Bound plan={plan} />
            </p>
          </div>
        </Panel>
        <Panel title={t("plan.curve")}>
          <PlanCurve steps={plan.steps} />
        </Panel>
      </div>
      <DataTable
        label={t("plan.steps")}
        rows={rowsOf(plan.steps.map((step, at) => ({ ...step, rank: at + 1 })))}
        columns={columns}
        rowKey={({ rank }) => rank}
        rowHeight={TWO_LINES_PX}
        empty={null}
      />
      {plan.stepCount > plan.steps.length ? (
        <p className="quiet">{t("plan.first", { n: plan.steps.length, all: plan.stepCount })}</p>
      ) : null}
    </>
  );
}

/** How good the plan is at worst: proven, not estimated. */
function Bound({ plan }: { readonly plan: FixPlan }) {
  const { t, format } = useSpeech();
  const { kind, guaranteed, least = 0, most = 0, factor } = plan.bound;
  if (factor === 1) return t("plan.boundBest");
  if (kind === "cost") {
    return t("plan.boundCost", { least: Math.ceil(least), cost: Math.round(plan.cost), factor: format.number(factor) });
  }
  return t("plan.boundCleared", {
    most: Math.round(most),
    share: format.percent(factor),
    guaranteed: format.percent(guaranteed),
  });
}

type Ranked = PlanStep & { readonly rank: number };

function useColumns(): readonly Column<Ranked>[] {
  const { t, format } = useSpeech();
  return [
    { key: "rank", title: t("plan.rank"), width: 74, numeric: true, cell: ({ rank }) => format.number(rank) },
    {
      key: "what",
      title: t("plan.what"),
      cell: ({ node, nodes }) => <NodeName id={node?.id ?? nodes[0] ?? 0} node={node} />,
    },
    {
      key: "action",
      title: t("plan.action"),
      width: 230,
      cell: ({ action, nodes }) => (
        <TwoLines second={nodes.length > 1 ? t("plan.places", { n: nodes.length }) : ""}>
          <span>{t(`planAction.${action}`)}</span>
        </TwoLines>
      ),
    },
    {
      key: "owner",
      title: t("plan.owner"),
      width: 150,
      cell: ({ node }) => <SafeText value={node?.image?.owner?.name} />,
    },
    {
      key: "gain",
      title: t("plan.gain"),
      width: 110,
      numeric: true,
      cell: ({ gain }) => format.number(Math.round(gain)),
    },
    { key: "share", title: t("plan.together"), width: 110, numeric: true, cell: ({ share }) => format.percent(share) },
    { key: "images", title: t("nav.images"), width: 100, numeric: true, cell: ({ images }) => format.number(images) },
  ];
}
