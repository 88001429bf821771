import { SEVERITIES } from "@bulwark/model";
import type { Finding, ImageDetail } from "../../api/contract.ts";
import { useFindings } from "../../api/images.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ChoiceFilter, SearchFilter } from "../../components/filters.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { SeverityTag } from "../../components/severity.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { given, useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";
import { FindingDrawer } from "./finding-drawer.tsx";

const KINDS = ["vulnerability", "secret", "malware", "webshell", "misconfiguration"] as const;
const ORIGINS = ["own", "base"] as const;
const TWO_LINES_PX = 48;

interface Props {
  readonly image: ImageDetail;
  readonly layer: number | undefined;
}

/** One row's name in the address. */
function keyOf(finding: Finding): string {
  const where = finding.package?.purl ?? `${finding.path}:${finding.line ?? ""}`;
  return `${finding.kind}|${finding.id}|${finding.layer}|${where}`;
}

export function Findings({ image, layer }: Props) {
  const { t } = useSpeech();
  const url = useUrlState();
  const filters = given({
    search: url.value("search"),
    kind: url.oneOf("kind", KINDS),
    severity: url.oneOf("severity", SEVERITIES),
    origin: url.oneOf("origin", ORIGINS),
    layer,
  });
  const rows = useFindings(image.digest, filters);
  const columns = useColumns((finding) => url.set({ finding: keyOf(finding) }));
  const opened = rows.items.find((finding) => keyOf(finding) === url.value("finding"));
  const filtered = Object.keys(filters).length > 0;
  return (
    <div className="stack">
      <search className="filters">
        <SearchFilter state={url} name="search" label={t("findings.search")} width={230} />
        <ChoiceFilter
          state={url}
          name="severity"
          label={t("filters.severity")}
          options={SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }))}
        />
        <ChoiceFilter
          state={url}
          name="kind"
          label={t("filters.kind")}
          options={KINDS.map((value) => ({ value, label: t(`kind.${value}`) }))}
        />
        <ChoiceFilter
          state={url}
          name="origin"
          label={t("filters.origin")}
          options={ORIGINS.map((value) => ({ value, label: t(`origin.${value}`) }))}
        />
      </search>
      <DataTable
        label={t("image.findings")}
        rows={rows}
        columns={columns}
        rowKey={keyOf}
        rowHeight={TWO_LINES_PX}
        empty={<NoFindings image={image} filtered={filtered} />}
      />
      <FindingDrawer finding={opened} onClose={() => url.set({ finding: undefined })} />
    </div>
  );
}

function NoFindings({ image, filtered }: { readonly image: ImageDetail; readonly filtered: boolean }) {
  const { t } = useSpeech();
  if (filtered) return <EmptyState title={t("filters.noneTitle")} hint={t("filters.noneHint")} />;
  if (image.scannedAt === null)
    return <EmptyState title={t("findings.unscanned")} hint={t("findings.unscannedHint")} />;
  if (!image.complete) return <EmptyState title={t("findings.noneSoFar")} hint={t("findings.incomplete")} />;
  return <EmptyState title={t("findings.none")} hint={t("findings.noneHint")} />;
}

function useColumns(onOpen: (finding: Finding) => void): readonly Column<Finding>[] {
  const { t } = useSpeech();
  const told = useServerTexts();
  return [
    {
      key: "severity",
      title: t("filters.severity"),
      width: 116,
      cell: ({ severity }) => <SeverityTag severity={severity} />,
    },
    {
      key: "finding",
      title: t("findings.finding"),
      cell: (finding) => (
        <TwoLines second={<SafeText value={told.titleOf(finding)} />}>
          <button type="button" className="link-button" onClick={() => onOpen(finding)}>
            <SafeText value={finding.id} />
          </button>
        </TwoLines>
      ),
    },
    { key: "where", title: t("findings.where"), cell: (finding) => <Where finding={finding} /> },
    {
      key: "fix",
      title: t("findings.fixed"),
      width: 130,
      cell: ({ fixedVersion }) => <SafeText value={fixedVersion} mono />,
    },
    {
      key: "layer",
      title: t("findings.layer"),
      width: 92,
      cell: ({ layer, origin }) => (
        <TwoLines second={t(`origin.${origin}`)}>
          <span className="number">{layer}</span>
        </TwoLines>
      ),
    },
    { key: "marks", title: t("findings.marks"), width: 110, cell: (finding) => <Marks finding={finding} /> },
  ];
}

function Where({ finding }: { readonly finding: Finding }) {
  if (finding.package === undefined) {
    const line = finding.line === undefined ? "" : `:${finding.line}`;
    return <SafeText value={`${finding.path}${line}`} mono />;
  }
  return (
    <TwoLines second={<SafeText value={finding.package.version} mono />}>
      <SafeText value={finding.package.name} />
    </TwoLines>
  );
}

function Marks({ finding }: { readonly finding: Finding }) {
  const { t } = useSpeech();
  return (
    <span className="chips">
      {finding.exploited ? <span className="tag tone-critical">{t("findings.exploited")}</span> : null}
      {finding.waived === undefined ? null : <span className="tag tone-other">{t("findings.waived")}</span>}
    </span>
  );
}
