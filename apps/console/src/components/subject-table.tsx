import { useSpeech } from "../i18n/language.tsx";
import { type Column, DataTable } from "./data-table.tsx";
import { EmptyState } from "./empty-state.tsx";
import { rowsOf } from "./rows-of.ts";
import { SafeText } from "./safe-text.tsx";

interface Subject {
  readonly ecosystem: string;
  readonly name: string;
  readonly version: string;
  readonly fixedVersion?: string;
  readonly images?: number;
}

/** Package versions that are affected, and in how many images each lies. */
export function SubjectTable({ subjects }: { readonly subjects: readonly Subject[] }) {
  const { t, format } = useSpeech();
  const columns: readonly Column<Subject>[] = [
    { key: "name", title: t("packages.name"), cell: ({ name }) => <SafeText value={name} /> },
    { key: "version", title: t("packages.version"), cell: ({ version }) => <SafeText value={version} mono /> },
    { key: "fixed", title: t("findings.fixed"), cell: ({ fixedVersion }) => <SafeText value={fixedVersion} mono /> },
    { key: "type", title: t("packages.type"), width: 140, cell: ({ ecosystem }) => <SafeText value={ecosystem} /> },
    {
      key: "images",
      title: t("nav.images"),
      width: 100,
      numeric: true,
      cell: ({ images }) => (images === undefined ? t("none") : format.number(images)),
    },
  ];
  return (
    <DataTable
      label={t("vulnerability.subjects")}
      rows={rowsOf(subjects)}
      columns={columns}
      rowKey={({ ecosystem, name, version }) => `${ecosystem}|${name}|${version}`}
      empty={<EmptyState title={t("packages.noneTitle")} hint={t("packages.noneHint")} />}
    />
  );
}
