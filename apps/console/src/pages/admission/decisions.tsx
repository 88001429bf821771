import { Drawer } from "antd";
import { useState } from "react";
import { useAdmissionPolicies, useDecisions } from "../../api/admission.ts";
import type { AdmissionDecision, AdmissionPolicy } from "../../api/contract.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ChoiceFilter, FlagFilter, SearchFilter } from "../../components/filters.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { given, useUrlState } from "../../components/url-state.ts";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";

const TWO_LINES_PX = 48;
const WIDTH_PX = 720;
const LONG = 1_000;
const SHOWN_NAME = 80;
const VERDICTS = ["denied", "audited", "broken-glass", "allowed"] as const;
const TONES: Readonly<Record<string, string>> = {
  denied: "tone-critical",
  audited: "tone-medium",
  "broken-glass": "tone-high",
  allowed: "tone-good",
};

/** What was decided, as it happens. */
export function Decisions() {
  const { t } = useSpeech();
  const url = useUrlState();
  const [open, setOpen] = useState<AdmissionDecision>();
  const { items: policies } = useAdmissionPolicies();
  const rows = useDecisions(
    given({
      verdict: url.oneOf("verdict", VERDICTS),
      namespace: url.value("namespace"),
      policy: url.value("policy"),
      wouldDeny: url.flag("wouldDeny"),
    }),
  );
  const titleOf = useRuleTitles(policies);
  const columns = useColumns(titleOf, setOpen);
  return (
    <>
      <search className="filters">
        <ChoiceFilter
          state={url}
          name="verdict"
          label={t("admission.verdict")}
          options={VERDICTS.map((value) => ({ value, label: t(`admissionVerdict.${value}`) }))}
        />
        <ChoiceFilter
          state={url}
          name="policy"
          label={t("admission.policy")}
          width={200}
          searchable
          options={policies.map(({ name }) => ({ value: name, label: visible(name, SHOWN_NAME) }))}
        />
        <SearchFilter state={url} name="namespace" label={t("admission.namespace")} />
        <FlagFilter state={url} name="wouldDeny" label={t("admission.onlyWouldDeny")} />
      </search>
      <DataTable
        label={t("admission.decisions")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("admission.noDecisions")} hint={t("admission.noDecisionsHint")} />}
      />
      <Drawer
        open={open !== undefined}
        onClose={() => setOpen(undefined)}
        size={WIDTH_PX}
        destroyOnHidden
        title={t("admission.decision")}
        closable={{ "aria-label": t("close") }}
      >
        {open === undefined ? null : <Detail decision={open} titleOf={titleOf} />}
      </Drawer>
    </>
  );
}

type Violation = AdmissionDecision["violations"][number];
/** What the rule asks, in the reader's language; nothing where that is the language of the message, or the policy is not known. */
type TitleOf = (violation: Violation) => string | undefined;

function useRuleTitles(policies: readonly AdmissionPolicy[]): TitleOf {
  const { language, t } = useSpeech();
  const texts = useServerTexts();
  return ({ policy, rule, mode }) => {
    if (mode === "brake" && language !== "en") return t("admission.brakes");
    const known = policies.find(({ name }) => name === policy);
    if (known === undefined || language === "en") return undefined;
    return texts.policy(known).rules.find(({ id }) => id === rule)?.title;
  };
}

/** What denied it goes before what only watched. */
function foremost({ violations }: AdmissionDecision): Violation | undefined {
  const denies = ({ mode, exception }: Violation) => exception === "" && (mode === "enforce" || mode === "brake");
  return violations.find(denies) ?? violations[0];
}

function useColumns(
  titleOf: TitleOf,
  onOpen: (decision: AdmissionDecision) => void,
): readonly Column<AdmissionDecision>[] {
  const { t, nameOf, format } = useSpeech();
  return [
    {
      key: "object",
      title: t("admission.object"),
      cell: (decision) => (
        <TwoLines second={<SafeText value={`${decision.cluster?.name ?? ""} ${decision.namespace}`.trim()} />}>
          <button type="button" className="link-button" onClick={() => onOpen(decision)}>
            <SafeText value={`${decision.kind} ${decision.name}`} />
          </button>
        </TwoLines>
      ),
    },
    {
      key: "verdict",
      title: t("admission.verdict"),
      width: 150,
      cell: ({ verdict, dryRun }) => (
        <TwoLines second={dryRun ? t("admission.dryRun") : ""}>
          <span>
            <span className={`tag ${TONES[verdict] ?? "tone-other"}`}>{nameOf("admissionVerdict", verdict)}</span>
          </span>
        </TwoLines>
      ),
    },
    {
      key: "why",
      title: t("admission.why"),
      cell: (decision) => {
        const first = foremost(decision);
        const all = decision.violations.length + decision.more;
        return (
          <TwoLines second={all > 1 ? t("admission.andMore", { n: all - 1 }) : ""}>
            <SafeText value={first === undefined ? undefined : (titleOf(first) ?? first.message)} />
          </TwoLines>
        );
      },
    },
    { key: "user", title: t("admission.user"), width: 190, cell: ({ user }) => <SafeText value={user} /> },
    {
      key: "last",
      title: t("admission.last"),
      width: 130,
      cell: ({ lastAt, count }) => (
        <TwoLines second={t("admission.times", { n: count })}>
          <span>{format.ago(lastAt)}</span>
        </TwoLines>
      ),
    },
  ];
}

function Detail({ decision, titleOf }: { readonly decision: AdmissionDecision; readonly titleOf: TitleOf }) {
  const { t, nameOf, format } = useSpeech();
  const { operation, subResource, user, verdict, grant, unknown, tookMs, firstAt, violations } = decision;
  return (
    <div className="stack">
      <dl className="facts">
        <dt>{t("admission.verdict")}</dt>
        <dd>{nameOf("admissionVerdict", verdict)}</dd>
        <dt>{t("admission.request")}</dt>
        <dd>
          <SafeText value={`${operation} ${decision.kind} ${subResource}`.trim()} />
        </dd>
        <dt>{t("admission.user")}</dt>
        <dd>
          <SafeText value={user} wrap />
        </dd>
        <dt>{t("admission.first")}</dt>
        <dd>{format.ago(firstAt)}</dd>
        <dt>{t("admission.took")}</dt>
        <dd>{t("admission.ms", { n: tookMs })}</dd>
        {grant === "" ? null : (
          <>
            <dt>{t("admission.grants")}</dt>
            <dd>
              <SafeText value={grant} />
            </dd>
          </>
        )}
        {unknown.length === 0 ? null : (
          <>
            <dt>{t("admission.unknownImages")}</dt>
            <dd>
              <SafeText value={unknown.join(", ")} mono wrap max={LONG} />
            </dd>
          </>
        )}
      </dl>
      {violations.map((each) => (
        <div className="evidence" key={`${each.policy} ${each.rule} ${each.container} ${each.image}`}>
          <SafeText value={`${each.policy}/${each.rule} (${nameOf("admissionMode", each.mode)})`} mono wrap />
          <br />
          {titleOf(each) === undefined ? null : (
            <>
              <SafeText value={titleOf(each)} wrap />
              <br />
            </>
          )}
          <SafeText value={each.message} wrap max={LONG} />
          {each.exception === "" ? null : <p className="quiet">{t("admission.excused", { id: each.exception })}</p>}
        </div>
      ))}
    </div>
  );
}
