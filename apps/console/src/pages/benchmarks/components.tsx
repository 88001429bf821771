import { useComponentFlaws } from "../../api/benchmarks.ts";
import type { ComponentFlaws } from "../../api/contract.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { FlagFilter } from "../../components/filters.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { SeverityTag } from "../../components/severity.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";

const TWO_LINES_PX = 48;
const SHOWN_FLAWS = 5;
const TONES: Readonly<Record<string, string>> = { flawed: "high", clear: "good", undetermined: "medium" };

/** Kernels, runtimes, Kubernetes and Istio by place, with the flaws of their versions. */
export function Components() {
  const { t, nameOf, format } = useSpeech();
  const url = useUrlState();
  const rows = useComponentFlaws(url.flag("flawed") === true);
  const columns: readonly Column<ComponentFlaws>[] = [
    {
      key: "component",
      title: t("benchmarks.component"),
      width: 200,
      cell: ({ name, version }) => (
        <TwoLines second={<SafeText value={version} mono />}>
          <SafeText value={name} />
        </TwoLines>
      ),
    },
    { key: "place", title: t("benchmarks.place"), width: 180, cell: ({ place }) => <SafeText value={place} /> },
    {
      key: "state",
      title: t("filters.state"),
      width: 150,
      cell: ({ state }) => (
        <span className={`tag tone-${TONES[state] ?? "other"}`}>{nameOf("componentState", state)}</span>
      ),
    },
    {
      key: "flaws",
      title: t("benchmarks.flaws"),
      cell: ({ counts, flaws, why }) => (
        <TwoLines
          second={
            <SafeText
              value={
                why === ""
                  ? flaws
                      .slice(0, SHOWN_FLAWS)
                      .map(({ id }) => id)
                      .join(", ")
                  : why
              }
            />
          }
        >
          <span>
            {Object.entries(counts).map(([severity, n]) => (
              <span key={severity}>
                <SeverityTag severity={severity} /> {format.number(n)}{" "}
              </span>
            ))}
          </span>
        </TwoLines>
      ),
    },
  ];
  return (
    <>
      <search className="filters">
        <FlagFilter state={url} name="flawed" label={t("benchmarks.onlyFlawed")} />
      </search>
      <DataTable
        label={t("benchmarks.components")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("benchmarks.noComponentsTitle")} hint={t("benchmarks.noComponentsHint")} />}
      />
    </>
  );
}
