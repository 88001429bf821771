import { App, Button, Drawer } from "antd";
import { useBenchmarkChecks, useBenchmarkFixes, usePreviewFix } from "../../api/benchmarks.ts";
import type { BenchmarkResult } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { useExplain } from "../../components/explain.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";
import { AskException } from "./ask-exception.tsx";
import { FixCard } from "./fix-card.tsx";
import { OutcomeTag } from "./outcome-tag.tsx";

const WIDTH_PX = 640;
const SHOWN_PLACES = 50;

/** One result: what was found and where, what to do, and a fix where one is safe. */
export function ResultDrawer({
  result,
  onClose,
}: {
  readonly result: BenchmarkResult | undefined;
  readonly onClose: () => void;
}) {
  const { t } = useSpeech();
  const texts = useServerTexts();
  if (result === undefined) return null;
  const title = texts.benchmarkTitle(result.check, result.title);
  return (
    <Drawer
      open
      title={<SafeText value={title} />}
      size={WIDTH_PX}
      onClose={onClose}
      closable={{ "aria-label": t("close") }}
    >
      <p>
        <OutcomeTag result={result} /> <SafeText value={result.place} /> <SafeText value={result.check} mono />
      </p>
      <Part title={t("benchmarks.evidence")} text={texts.evidence(result.evidence)} />
      <FaultyPlaces result={result} />
      <Part title={t("benchmarks.advice")} text={texts.benchmarkAdvice(result.check, result.advice)} />
      <Part title={t("benchmarks.impact")} text={result.impact} />
      <Sections check={result.check} />
      <Fixing result={result} />
      <AskException check={result.check} nodeId={result.nodeId} clusterId={result.clusterId} />
    </Drawer>
  );
}

function Part({ title, text }: { readonly title: string; readonly text: string }) {
  if (text === "") return null;
  return (
    <section>
      <h3>{title}</h3>
      <p>
        <SafeText value={text} />
      </p>
    </section>
  );
}

function FaultyPlaces({ result: { places, faulty } }: { readonly result: BenchmarkResult }) {
  const { t } = useSpeech();
  const texts = useServerTexts();
  if (places.length === 0) return null;
  return (
    <section>
      <h3>{t("benchmarks.faulty", { n: faulty })}</h3>
      <ul>
        {places.slice(0, SHOWN_PLACES).map((place) => {
          const name = [place.namespace, place.name].filter((part) => part !== "").join("/");
          const text = `${String(place.kind)} ${name}: ${texts.evidence(String(place.evidence))}`;
          return (
            <li key={text}>
              <SafeText value={text} />
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Sections({ check }: { readonly check: string }) {
  const { t } = useSpeech();
  const found = useBenchmarkChecks().data?.items.find(({ id }) => id === check);
  if (found === undefined) return null;
  const text = Object.entries(found.references).map(([standard, sections]) => `${standard} ${sections.join(", ")}`);
  return <Part title={t("benchmarks.sections")} text={text.join(" · ")} />;
}

function Fixing({ result }: { readonly result: BenchmarkResult }) {
  const { t } = useSpeech();
  const { message } = App.useApp();
  const explain = useExplain();
  const preview = usePreviewFix();
  const may = useMay()("responses:write");
  const { nodeId, check, fixable } = result;
  const fixes = useBenchmarkFixes(nodeId ?? undefined);
  const latest = fixes.items.find((fix) => fix.check === check && fix.nodeId === nodeId);
  if (!fixable || nodeId === null) return null;
  const ask = () => preview.mutate({ nodeId, check }, { onError: (error) => void message.error(explain(error).title) });
  return (
    <section>
      <h3>{t("benchmarks.fixes")}</h3>
      {latest === undefined ? <p className="quiet">{t("benchmarks.previewHint")}</p> : <FixCard fix={latest} />}
      {may && result.outcome === "fail" ? (
        <Button onClick={ask} loading={preview.isPending}>
          {t("benchmarks.preview")}
        </Button>
      ) : null}
    </section>
  );
}
