import { App, Button, Checkbox, Select } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { MAX_UNUSED, useProposeCleanup, useUnused } from "../../api/cleanups.ts";
import type { UnusedImage } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { useExplain } from "../../components/explain.ts";
import { Loaded } from "../../components/loaded.tsx";
import { rowsOf } from "../../components/rows-of.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { HoldForm } from "./hold-form.tsx";

const DAYS = [30, 60, 90, 180, 365] as const;
const USUAL_DAYS = 90;
const TWO_LINES_PX = 48;
const SHOWN_NAME = 80;
const SHOWN_TAGS = 6;

const keyOf = ({ repositoryId, digest }: UnusedImage) => `${repositoryId}|${digest}`;

/** What nobody pulled, runs or stands on for some days: chosen here, it is proposed for a cleanup. */
export function Unused() {
  const { t } = useSpeech();
  const url = useUrlState();
  const days = DAYS.find((choice) => choice === url.integer("days")) ?? USUAL_DAYS;
  const unused = useUnused(days);
  return (
    <div className="stack">
      <search className="filters">
        <Select
          aria-label={t("unused.since")}
          value={days}
          options={DAYS.map((value) => ({ value, label: t("unused.forDays", { n: value }) }))}
          onChange={(value) => url.set({ days: String(value) })}
          popupMatchSelectWidth={false}
        />
      </search>
      <Loaded query={unused}>{({ items }) => <Choose key={days} items={items} days={days} />}</Loaded>
    </div>
  );
}

function Choose({ items, days }: { readonly items: readonly UnusedImage[]; readonly days: number }) {
  const { t, format } = useSpeech();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const may = useMay()("images:write");
  const images = items.filter((item) => chosen.has(keyOf(item)));
  const columns = useColumns(may, chosen, (key, on) =>
    setChosen((before) => new Set(on ? [...before, key] : [...before].filter((each) => each !== key))),
  );
  if (items.length === 0) return <EmptyState title={t("unused.emptyTitle")} hint={t("unused.emptyHint")} />;
  const bytes = images.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return (
    <>
      {may ? (
        <div className="filters">
          <Checkbox
            checked={images.length === items.length}
            indeterminate={images.length > 0 && images.length < items.length}
            onChange={({ target }) => setChosen(new Set(target.checked ? items.map(keyOf) : []))}
          >
            {t("unused.all")}
          </Checkbox>
          <Propose images={images} days={days} />
          <span className="quiet" role="status">
            {t("unused.chosen", { n: images.length, size: format.bytes(bytes) })}
          </span>
        </div>
      ) : null}
      <DataTable
        label={t("unused.title")}
        rows={rowsOf(items)}
        columns={columns}
        rowKey={keyOf}
        rowHeight={TWO_LINES_PX}
        empty={null}
      />
      {items.length === MAX_UNUSED ? <p className="quiet">{t("unused.largest", { n: MAX_UNUSED })}</p> : null}
    </>
  );
}

function Propose({ images, days }: { readonly images: readonly UnusedImage[]; readonly days: number }) {
  const { t } = useSpeech();
  const url = useUrlState();
  const { modal, message } = App.useApp();
  const explain = useExplain();
  const propose = useProposeCleanup();
  const send = async () => {
    const chosen = images.map(({ repositoryId, digest }) => ({ repositoryId, digest }));
    try {
      await propose.mutateAsync({ days, images: chosen });
      url.set({ tab: "cleanups" });
    } catch (error) {
      void message.error(explain(error as Error).title);
    }
  };
  const ask = () =>
    void modal.confirm({
      title: t("unused.proposeTitle", { n: images.length }),
      content: t("unused.proposeHint"),
      okText: t("unused.propose"),
      onOk: send,
    });
  return (
    <Button type="primary" disabled={images.length === 0} loading={propose.isPending} onClick={ask}>
      {t("unused.propose")}
    </Button>
  );
}

function useColumns(
  may: boolean,
  chosen: ReadonlySet<string>,
  choose: (key: string, on: boolean) => void,
): readonly Column<UnusedImage>[] {
  const { t, format } = useSpeech();
  const name = ({ registry, repository }: UnusedImage) => `${registry}/${repository}`;
  const columns: Column<UnusedImage>[] = [
    {
      key: "image",
      title: t("images.image"),
      cell: (item) => (
        <TwoLines
          second={<SafeText value={item.tags.length === 0 ? item.digest : item.tags.slice(0, SHOWN_TAGS).join(", ")} />}
        >
          <Link to={`/images/${encodeURIComponent(item.digest)}`}>
            <SafeText value={name(item)} />
          </Link>
        </TwoLines>
      ),
    },
    { key: "owner", title: t("images.owner"), width: 150, cell: ({ owner }) => <SafeText value={owner?.name} /> },
    {
      key: "size",
      title: t("images.size"),
      width: 100,
      numeric: true,
      cell: ({ sizeBytes }) => format.bytes(sizeBytes),
    },
    {
      key: "pulled",
      title: t("unused.pulled"),
      width: 150,
      cell: ({ pulledAt }) =>
        pulledAt === null ? <span className="quiet">{t("unused.never")}</span> : format.ago(pulledAt),
    },
    { key: "seen", title: t("images.firstSeen"), width: 130, cell: ({ firstSeen }) => format.ago(firstSeen) },
  ];
  if (!may) return columns;
  return [
    {
      key: "choose",
      title: t("unused.choose"),
      width: 80,
      cell: (item) => (
        <Checkbox
          aria-label={t("unused.chooseOne", { name: visible(name(item), SHOWN_NAME) })}
          checked={chosen.has(keyOf(item))}
          onChange={({ target }) => choose(keyOf(item), target.checked)}
        />
      ),
    },
    ...columns,
    { key: "actions", title: t("actions"), width: 110, numeric: true, cell: (item) => <HoldForm image={item} /> },
  ];
}
