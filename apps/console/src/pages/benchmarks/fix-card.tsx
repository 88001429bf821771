import { App, Button } from "antd";
import { useApplyFix, useUndoFix } from "../../api/benchmarks.ts";
import type { BenchmarkFix } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { useExplain } from "../../components/explain.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";

const SHOWN_NAME = 60;
const TONES: Readonly<Record<string, string>> = {
  applied: "good",
  failed: "high",
  waiting: "medium",
  verifying: "medium",
};

/** How far a fix is. */
export function FixState({ state }: Pick<BenchmarkFix, "state">) {
  const { nameOf } = useSpeech();
  return <span className={`tag tone-${TONES[state] ?? "other"}`}>{nameOf("fixState", state)}</span>;
}

/** What a fix changes, line by line, and what can be done about it. */
export function FixCard({ fix }: { readonly fix: BenchmarkFix }) {
  const { t } = useSpeech();
  const texts = useServerTexts();
  return (
    <div>
      <p>
        <FixState state={fix.state} /> <SafeText value={texts.outcome(fix.detail)} />
      </p>
      {fix.diff === "" ? null : (
        <pre>
          <SafeText value={fix.diff} mono />
        </pre>
      )}
      {fix.restart === "" || fix.state !== "applied" ? null : (
        <p>{t("benchmarks.restart", { program: fix.restart })}</p>
      )}
      <FixActions fix={fix} />
    </div>
  );
}

/** Apply what was previewed; give back what was there. */
export function FixActions({ fix }: { readonly fix: BenchmarkFix }) {
  const { t } = useSpeech();
  const { modal, message } = App.useApp();
  const explain = useExplain();
  const apply = useApplyFix();
  const undo = useUndoFix();
  if (!useMay()("responses:write")) return null;
  const onError = (error: Error) => void message.error(explain(error).title);
  const ask = () =>
    void modal.confirm({
      title: t("benchmarks.applyTitle", { node: visible(fix.hostname, SHOWN_NAME) }),
      content: t("benchmarks.applyHint"),
      okText: t("benchmarks.apply"),
      okButtonProps: { danger: true },
      onOk: () => apply.mutate(fix.id, { onError }),
    });
  if (fix.state === "previewed") {
    return (
      <Button size="small" danger loading={apply.isPending} onClick={ask}>
        {t("benchmarks.apply")}
      </Button>
    );
  }
  if (!fix.isUndoable) return null;
  return (
    <Button size="small" loading={undo.isPending} onClick={() => undo.mutate(fix.id, { onError })}>
      {t("benchmarks.undo")}
    </Button>
  );
}
