import { Tabs } from "antd";
import type { Image, SearchQuery, SearchResult } from "../../api/contract.ts";
import type { Rows } from "../../api/paged.ts";
import { useSearch } from "../../api/search.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { Figure } from "../../components/figure.tsx";
import { ImageTable } from "../../components/image-table.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SubjectTable } from "../../components/subject-table.tsx";
import { given, useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { BaseTable, LayerTable, OwnerTable } from "./result-tables.tsx";
import { SaveCase } from "./save-case.tsx";
import { SearchForm } from "./search-form.tsx";
import "./search.css";

const TABS = ["images", "subjects", "undetermined", "layers", "bases", "owners"] as const;

/** Emergency search: where is this component, or this CVE, now? The question is in the address. */
export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const query: SearchQuery = given({
    component: url.value("component"),
    ecosystem: url.value("ecosystem"),
    range: url.value("range"),
    vulnerability: url.value("vulnerability"),
  });
  const asked = Object.keys(query).length > 0;
  const result = useSearch(query);
  return (
    <Frame
      title={t("search.title")}
      lead={t("search.lead")}
      actions={asked && result.isSuccess ? <SaveCase query={query} /> : null}
    >
      <SearchForm
        key={JSON.stringify(query)}
        query={query}
        onAsk={(next) => url.set({ ...BLANK, ...next, tab: undefined })}
      />
      {asked ? (
        <Loaded query={result}>{(data) => <Result result={data} images={result.images} />}</Loaded>
      ) : (
        <EmptyState title={t("search.startTitle")} hint={t("search.startHint")} />
      )}
    </Frame>
  );
}

const BLANK = { component: undefined, ecosystem: undefined, range: undefined, vulnerability: undefined };

function Result({ result, images }: { readonly result: SearchResult; readonly images: Rows<Image> }) {
  const { t, format } = useSpeech();
  const url = useUrlState();
  const { summary } = result;
  if (summary.images === 0 && result.undetermined.length === 0)
    return <EmptyState title={t("search.noneTitle")} hint={t("search.noneHint")} />;
  const nothing = <EmptyState title={t("search.noneTitle")} hint={t("search.noneHint")} />;
  const label = (name: string, count: number) => `${name} (${format.number(count)})`;
  const items = [
    {
      key: "images",
      label: label(t("nav.images"), summary.images),
      children: <ImageTable rows={images} empty={nothing} />,
    },
    {
      key: "subjects",
      label: label(t("search.versions"), result.subjects.length),
      children: <SubjectTable subjects={result.subjects} />,
    },
    {
      key: "undetermined",
      label: label(t("search.undetermined"), result.undetermined.length),
      children: (
        <div className="stack">
          <p className="quiet">{t("search.undeterminedHint")}</p>
          <SubjectTable subjects={result.undetermined} />
        </div>
      ),
    },
    { key: "layers", label: label(t("layers.title"), summary.layers), children: <LayerTable rows={result.layers} /> },
    { key: "bases", label: label(t("search.bases"), summary.bases), children: <BaseTable rows={result.bases} /> },
    { key: "owners", label: label(t("nav.owners"), summary.owners), children: <OwnerTable rows={result.owners} /> },
  ];
  return (
    <>
      <section className="panel search-summary" aria-label={t("image.summary")} role="status">
        <Figure name={t("nav.images")} value={format.number(summary.images)} tone="bad" />
        <Figure name={t("layers.title")} value={format.number(summary.layers)} />
        <Figure name={t("search.bases")} value={format.number(summary.bases)} />
        <Figure name={t("overview.repositories")} value={format.number(summary.repositories)} />
        <Figure name={t("nav.owners")} value={format.number(summary.owners)} />
        <Figure
          name={t("overview.unowned")}
          value={format.number(summary.unowned)}
          tone={summary.unowned > 0 ? "warn" : undefined}
        />
      </section>
      <Tabs
        activeKey={url.oneOf("tab", TABS) ?? "images"}
        items={items}
        onChange={(tab) => url.set({ tab })}
        destroyOnHidden
      />
    </>
  );
}
