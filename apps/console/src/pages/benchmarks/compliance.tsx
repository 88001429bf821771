import { useCompliance } from "../../api/benchmarks.ts";
import type { ComplianceSection } from "../../api/contract.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ChoiceFilter } from "../../components/filters.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";

const STANDARDS = ["mlps", "cis-kubernetes", "cis-docker", "cis-linux", "nsa"] as const;
const TONES: Readonly<Record<string, string>> = { met: "good", "not-met": "high", undetermined: "medium" };

/** Documents section by section, as far as checks cover them, over all places. */
export function Compliance() {
  const { t } = useSpeech();
  const url = useUrlState();
  const standard = url.oneOf("standard", STANDARDS) ?? "mlps";
  const rows = useCompliance(standard);
  const columns = useColumns();
  const options = STANDARDS.map((value) => ({ value, label: t(`standard.${value}`) }));
  return (
    <>
      <search className="filters">
        <ChoiceFilter
          state={url}
          name="standard"
          label={t("benchmarks.standard")}
          options={options}
          usual="mlps"
          width={260}
        />
      </search>
      <DataTable
        label={t("benchmarks.compliance")}
        rows={rows}
        columns={columns}
        rowKey={({ section }) => section}
        empty={<EmptyState title={t("benchmarks.emptyTitle")} hint={t("benchmarks.emptyHint")} />}
      />
    </>
  );
}

function useColumns(): readonly Column<ComplianceSection>[] {
  const { t, nameOf, format } = useSpeech();
  return [
    {
      key: "section",
      title: t("benchmarks.section"),
      width: 110,
      cell: ({ section }) => <SafeText value={section} mono />,
    },
    {
      key: "state",
      title: t("filters.state"),
      width: 170,
      cell: ({ state }) => (
        <span className={`tag tone-${TONES[state] ?? "other"}`}>{nameOf("sectionState", state)}</span>
      ),
    },
    { key: "checks", title: t("benchmarks.check"), cell: ({ checks }) => <SafeText value={checks.join(", ")} mono /> },
    ...(["pass", "fail", "undetermined", "excepted"] as const).map((outcome) => ({
      key: outcome,
      title: t(`outcome.${outcome}`),
      width: 120,
      numeric: true,
      cell: (section: ComplianceSection) => format.number(section[outcome]),
    })),
  ];
}
