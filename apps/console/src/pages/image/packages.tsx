import type { ImagePackage } from "../../api/contract.ts";
import { useImagePackages } from "../../api/images.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { SearchFilter } from "../../components/filters.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { SeverityTag } from "../../components/severity.tsx";
import { given, useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";

interface Props {
  readonly digest: string;
  readonly layer: number | undefined;
}

export function Packages({ digest, layer }: Props) {
  const { t } = useSpeech();
  const url = useUrlState();
  const rows = useImagePackages(digest, given({ search: url.value("package"), layer }));
  const columns: readonly Column<ImagePackage>[] = [
    { key: "name", title: t("packages.name"), cell: ({ name }) => <SafeText value={name} /> },
    {
      key: "version",
      title: t("packages.version"),
      width: 200,
      cell: ({ version }) => <SafeText value={version} mono />,
    },
    { key: "type", title: t("packages.type"), width: 100, cell: ({ type }) => <SafeText value={type} /> },
    { key: "path", title: t("findings.path"), cell: ({ path }) => <SafeText value={path} mono /> },
    { key: "layer", title: t("findings.layer"), width: 80, numeric: true, cell: (row) => row.layer },
    {
      key: "worst",
      title: t("packages.worst"),
      width: 120,
      cell: ({ worst }) => (worst === undefined || worst === null ? t("none") : <SeverityTag severity={worst} />),
    },
  ];
  return (
    <div className="stack">
      <search className="filters">
        <SearchFilter state={url} name="package" label={t("packages.search")} />
      </search>
      <DataTable
        label={t("image.packages")}
        rows={rows}
        columns={columns}
        rowKey={(row) => `${row.purl}|${row.path ?? ""}|${row.layer}`}
        empty={<EmptyState title={t("packages.noneTitle")} hint={t("packages.noneHint")} />}
      />
    </div>
  );
}
