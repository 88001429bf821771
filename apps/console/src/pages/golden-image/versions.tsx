import { Button } from "antd";
import { Link } from "react-router";
import type { GoldenVersion } from "../../api/contract.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { GoldenStateTag } from "../../components/golden-state.tsx";
import { rowsOf } from "../../components/rows-of.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { DiffDrawer } from "./diff-drawer.tsx";
import { Violations } from "./violations.tsx";

const TWO_LINES_PX = 48;

/** What was published, the newest first: each says what changed and who stands on it. */
export function Versions({ id, versions }: { readonly id: number; readonly versions: readonly GoldenVersion[] }) {
  const { t } = useSpeech();
  const url = useUrlState();
  const columns = useColumns((version) => url.set({ diff: String(version) }));
  return (
    <>
      <DataTable
        label={t("golden.versions")}
        rows={rowsOf(versions)}
        columns={columns}
        rowKey={(version) => version.id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("golden.noVersions")} hint={t("golden.noVersionsHint")} />}
      />
      <DiffDrawer id={id} version={url.integer("diff")} onClose={() => url.set({ diff: undefined })} />
    </>
  );
}

function useColumns(onDiff: (version: number) => void): readonly Column<GoldenVersion>[] {
  const { t, format } = useSpeech();
  return [
    {
      key: "version",
      title: t("golden.version"),
      cell: ({ tag, digest, description, reason }) => (
        <TwoLines second={<SafeText value={reason === "" ? description : reason} />}>
          <Link to={`/images/${encodeURIComponent(digest)}`}>
            <SafeText value={tag} />
          </Link>
        </TwoLines>
      ),
    },
    { key: "platform", title: t("about.platform"), width: 120, cell: ({ platform }) => <SafeText value={platform} /> },
    { key: "state", title: t("filters.state"), width: 130, cell: ({ state }) => <GoldenStateTag state={state} /> },
    {
      key: "rules",
      title: t("golden.rules"),
      width: 190,
      cell: ({ passed, violations }) => <Violations passed={passed} violations={violations} />,
    },
    {
      key: "published",
      title: t("golden.publishedBy"),
      width: 150,
      cell: ({ publishedBy, publishedAt }) => (
        <TwoLines second={format.ago(publishedAt)}>
          <SafeText value={publishedBy} />
        </TwoLines>
      ),
    },
    {
      key: "consumers",
      title: t("golden.consumers"),
      width: 120,
      numeric: true,
      cell: ({ consumers }) => format.number(consumers),
    },
    {
      key: "actions",
      title: t("actions"),
      width: 120,
      numeric: true,
      cell: ({ id }) => (
        <Button size="small" onClick={() => onDiff(id)}>
          {t("golden.diff")}
        </Button>
      ),
    },
  ];
}
