import { Button, Drawer } from "antd";
import { Link } from "react-router";
import { useAdmissionPolicies, useSetAdmissionMode } from "../../api/admission.ts";
import type { AdmissionPolicy } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";
import { ModeChoice } from "./mode-choice.tsx";
import { PlaceModes } from "./place-modes.tsx";

const TWO_LINES_PX = 48;
const WIDTH_PX = 720;
const LONG = 8_200;

/** Policies, their modes, and what they would have denied while they only watch. */
export function Policies() {
  const { t } = useSpeech();
  const url = useUrlState();
  const rows = useAdmissionPolicies();
  const texts = useServerTexts();
  const columns = useColumns((policy) => url.set({ policy }));
  const chosen = rows.items.find(({ name }) => name === url.value("policy"));
  const open = chosen === undefined ? undefined : texts.policy(chosen);
  return (
    <>
      <DataTable
        label={t("admission.policies")}
        rows={rows}
        columns={columns}
        rowKey={({ name }) => name}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("admission.noPolicies")} hint={t("admission.noPoliciesHint")} />}
      />
      <Drawer
        open={open !== undefined}
        onClose={() => url.set({ policy: undefined })}
        size={WIDTH_PX}
        destroyOnHidden
        title={<SafeText value={open?.title} wrap />}
        closable={{ "aria-label": t("close") }}
      >
        {open === undefined ? null : <Detail policy={open} />}
      </Drawer>
    </>
  );
}

function useColumns(onOpen: (name: string) => void): readonly Column<AdmissionPolicy>[] {
  const { t, nameOf, format } = useSpeech();
  const texts = useServerTexts();
  return [
    {
      key: "policy",
      title: t("admission.policy"),
      cell: (policy) => (
        <TwoLines second={<SafeText value={texts.policy(policy).title} />}>
          <button type="button" className="link-button" onClick={() => onOpen(policy.name)}>
            <SafeText value={policy.name} />
          </button>
        </TwoLines>
      ),
    },
    {
      key: "source",
      title: t("admission.source"),
      width: 110,
      cell: ({ source }) => nameOf("admissionSource", source),
    },
    {
      key: "mode",
      title: t("admission.mode"),
      width: 250,
      cell: ({ name, mode }) => <ModeChoice policy={name} mode={mode} />,
    },
    {
      key: "modes",
      title: t("admission.ownModes"),
      width: 90,
      numeric: true,
      cell: ({ modes }) => format.number(modes.length),
    },
    {
      key: "would",
      title: t("admission.wouldDeny"),
      width: 120,
      numeric: true,
      cell: ({ counts, observedSince }) => (
        <TwoLines second={observedSince === null ? "" : t("admission.since", { day: format.date(observedSince) })}>
          <span>{format.number(counts.wouldDeny)}</span>
        </TwoLines>
      ),
    },
    {
      key: "denied",
      title: t("admission.denied"),
      width: 90,
      numeric: true,
      cell: ({ counts }) => format.number(counts.denied),
    },
    {
      key: "asked",
      title: t("admission.asked"),
      width: 90,
      numeric: true,
      cell: ({ counts }) => format.number(counts.asked),
    },
  ];
}

function Detail({ policy }: { readonly policy: AdmissionPolicy }) {
  const { t, nameOf } = useSpeech();
  const may = useMay()("runtime:write");
  const set = useSetAdmissionMode();
  const { name, mode, declaredMode, description, onError, unknown, rules, exportable } = policy;
  return (
    <div className="stack">
      <p>
        <SafeText value={description} wrap max={LONG} />
      </p>
      <dl className="facts">
        <dt>{t("admission.mode")}</dt>
        <dd>
          <ModeChoice policy={name} mode={mode} />{" "}
          {may && mode !== declaredMode ? (
            <Button size="small" onClick={() => set.mutate({ policy: name, mode: null })}>
              {t("admission.asDeclared", { mode: t(`admissionMode.${declaredMode}`) })}
            </Button>
          ) : null}
        </dd>
        <dt>{t("admission.decisions")}</dt>
        <dd>
          <Link to={`/admission?tab=decisions&wouldDeny=true&policy=${encodeURIComponent(name)}`}>
            {t("admission.showWouldDeny")}
          </Link>
        </dd>
        <dt>{t("admission.unknown")}</dt>
        <dd>{nameOf("admissionUnknown", unknown)}</dd>
        <dt>{t("admission.onError")}</dt>
        <dd>{nameOf("admissionUnknown", onError)}</dd>
        <dt>{t("admission.export")}</dt>
        <dd>{exportable ? t("admission.exportable") : t("admission.notExportable")}</dd>
      </dl>
      <PlaceModes policy={policy} />
      {rules.map(({ id, title, deny }) => (
        <div className="evidence" key={id}>
          <SafeText value={`${id}: ${title}`} wrap max={LONG} />
          <br />
          <SafeText value={deny.trim()} mono wrap max={LONG} />
        </div>
      ))}
    </div>
  );
}
