import { DownloadOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useState } from "react";
import { storyAddress, useStory } from "../../api/alerts.ts";
import type { Story, StoryStep } from "../../api/runtime-facts.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Panel } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { SeverityTag } from "../../components/severity.tsx";
import { Techniques } from "../../components/techniques.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";
import { StoryGraph } from "./story-graph.tsx";
import "./story.css";

const FORMATS = ["json", "html", "text"] as const;
const US_PER_MS = 1_000;
const LONG = 2_000;

/** The alerts of a container and what happened around them, as a graph and step by step. */
export function AttackStory({ id }: { readonly id: number }) {
  const story = useStory(id);
  return <Loaded query={story}>{(data) => <Told story={data} id={id} />}</Loaded>;
}

function Told({ story, id }: { readonly story: Story; readonly id: number }) {
  const { t } = useSpeech();
  const [chosen, choose] = useState<string>();
  if (story.nodes.length === 0) return <EmptyState title={t("story.noneTitle")} hint={t("story.noneHint")} />;
  return (
    <div className="stack">
      <Panel title={t("story.graph")} extra={<Downloads id={id} />}>
        <StoryGraph story={story} chosen={chosen} onChoose={choose} />
        {story.leftOut > 0 ? <p className="quiet">{t("story.leftOut", { n: story.leftOut })}</p> : null}
      </Panel>
      <Panel title={t("story.steps")}>
        <TacticBar tactics={story.tactics} />
        <Steps steps={story.steps} chosen={chosen} onChoose={choose} />
      </Panel>
    </div>
  );
}

function Downloads({ id }: { readonly id: number }) {
  const { t } = useSpeech();
  return (
    <span className="chips">
      {FORMATS.map((format) => (
        <Button
          key={format}
          size="small"
          href={storyAddress(id, format)}
          download={`alert-${id}.${format === "text" ? "txt" : format}`}
          icon={<DownloadOutlined />}
        >
          {t(`storyFormat.${format}`)}
        </Button>
      ))}
    </span>
  );
}

/** How far the attack came, in the order that ATT&CK puts them. */
function TacticBar({ tactics }: { readonly tactics: readonly string[] }) {
  const { t, nameOf } = useSpeech();
  if (tactics.length === 0) return null;
  return (
    <ol className="tactics" aria-label={t("story.tactics")}>
      {tactics.map((tactic) => (
        <li key={tactic}>
          <SafeText value={nameOf("tactic", tactic)} max={60} />
        </li>
      ))}
    </ol>
  );
}

interface StepsProps {
  readonly steps: readonly StoryStep[];
  readonly chosen: string | undefined;
  readonly onChoose: (node: string | undefined) => void;
}

function Steps({ steps, chosen, onChoose }: StepsProps) {
  const { t, nameOf, format } = useSpeech();
  const told = useServerTexts();
  return (
    <ol className="story-steps">
      {steps.map((step) => (
        <li
          key={`${step.timeUs}|${step.rule}|${step.node}|${step.text}`}
          className={step.node === chosen ? "chosen" : undefined}
        >
          <p className="chips">
            <span className="quiet number">{format.exactTime(new Date(step.timeUs / US_PER_MS).toISOString())}</span>
            <SeverityTag severity={step.severity} />
            {step.tactic === null ? null : <span className="tag tone-other">{nameOf("tactic", step.tactic)}</span>}
            <button
              type="button"
              className="link-button"
              aria-pressed={step.node === chosen}
              title={t("story.show")}
              onClick={() => onChoose(step.node === chosen ? undefined : step.node)}
            >
              <SafeText value={told.ruleTitle(step.rule)} />
            </button>
          </p>
          <p>
            <SafeText value={step.text} wrap max={LONG} />
          </p>
          <Techniques techniques={step.techniques} tactics={[]} />
          {step.advice === "" ? null : (
            <p className="quiet">
              <SafeText value={told.ruleAdvice(step.rule, step.advice)} wrap max={LONG} />
            </p>
          )}
        </li>
      ))}
    </ol>
  );
}
