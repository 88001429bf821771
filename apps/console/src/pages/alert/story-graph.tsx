import { useEffect, useMemo, useRef } from "react";
import type { Story, StoryEdge, StoryNode } from "../../api/runtime-facts.ts";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { type EdgeLabel, edgeLabels, layoutStory, type PlacedNode } from "./story-layout.ts";

interface Props {
  readonly story: Story;
  readonly chosen: string | undefined;
  readonly onChoose: (node: string | undefined) => void;
}

const NODE_WIDTH = 160;
const NODE_HEIGHT = 40;
const COLUMN_WIDTH = 260;
const ROW_HEIGHT = 54;
const MARGIN = 8;
const LABEL_CHARACTERS = 25;
const DETAIL_CHARACTERS = 30;
/** As many as fit between two columns. */
const EDGE_CHARACTERS = 17;
const FULL_CHARACTERS = 600;

/** The graph of a story, drawn to be read from left to right. A node that is chosen shows all of what it says. */
export function StoryGraph({ story, chosen, onChoose }: Props) {
  const { t } = useSpeech();
  const layout = useMemo(() => layoutStory(story.nodes, story.edges), [story]);
  const frame = useRef<HTMLDivElement>(null);
  // What is above the first alert is usually how containers start: the graph opens where the attack does.
  useEffect(() => {
    const columns = layout.placed.flatMap(({ node, column }) => (node.severity === null ? [] : [column]));
    const first = Math.min(...columns, layout.columns);
    frame.current?.scrollTo({ left: Math.max(0, first - 1) * COLUMN_WIDTH });
  }, [layout]);
  const places = new Map(layout.placed.map((each) => [each.node.id, each]));
  const width = layout.columns * COLUMN_WIDTH - (COLUMN_WIDTH - NODE_WIDTH) + 2 * MARGIN;
  const height = layout.rows * ROW_HEIGHT + MARGIN;
  const label = t("story.graphLabel", { nodes: story.nodes.length, steps: story.steps.length });
  return (
    <>
      <div className="story-graph" ref={frame}>
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
          <title>{label}</title>
          {story.edges.map((edge) => (
            <Edge
              key={`${edge.from}|${edge.to}|${edge.what}`}
              from={places.get(edge.from)}
              to={places.get(edge.to)}
              isLit={chosen === edge.from || chosen === edge.to}
            />
          ))}
          {edgeLabels(layout, story.edges).map((each) => (
            <Label key={each.to} label={each} to={places.get(each.to)} isLit={chosen === each.to} />
          ))}
          {layout.placed.map((placed) => (
            <Node key={placed.node.id} placed={placed} isChosen={placed.node.id === chosen} onChoose={onChoose} />
          ))}
        </svg>
      </div>
      <Chosen node={places.get(chosen ?? "")?.node} edges={story.edges} places={places} />
    </>
  );
}

const leftOf = ({ column }: PlacedNode) => MARGIN + column * COLUMN_WIDTH;
const topOf = ({ row }: PlacedNode) => MARGIN + row * ROW_HEIGHT;
const middleOf = (placed: PlacedNode) => topOf(placed) + NODE_HEIGHT / 2;

interface EdgeProps {
  readonly from: PlacedNode | undefined;
  readonly to: PlacedNode | undefined;
  readonly isLit: boolean;
}

function Edge({ from, to, isLit }: EdgeProps) {
  if (from === undefined || to === undefined || from === to) return null;
  const isForward = to.column > from.column;
  const x1 = leftOf(from) + (isForward ? NODE_WIDTH : NODE_WIDTH / 2);
  const x2 = leftOf(to) + (isForward ? 0 : NODE_WIDTH / 2);
  const y1 = isForward ? middleOf(from) : topOf(from) + NODE_HEIGHT;
  const y2 = isForward ? middleOf(to) : topOf(to);
  const bend = isForward ? (x2 - x1) / 2 : 0;
  return (
    <g className={isLit ? "story-edge lit" : "story-edge"}>
      <path d={`M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`} />
    </g>
  );
}

interface LabelProps {
  readonly label: EdgeLabel;
  readonly to: PlacedNode | undefined;
  readonly isLit: boolean;
}

/** What was done to a node, left of it and above the lines that lead there. */
function Label({ label: { first, more }, to, isLit }: LabelProps) {
  const { nameOf } = useSpeech();
  if (to === undefined) return null;
  const times = first.count > 1 ? ` ×${first.count}` : "";
  const rest = more > 0 ? ` +${more}` : "";
  const what = visible(nameOf("storyVerb", first.what), EDGE_CHARACTERS - times.length - rest.length);
  return (
    <g className={isLit ? "story-edge lit" : "story-edge"}>
      <text x={leftOf(to) - 8} y={middleOf(to) - 5} textAnchor="end">
        {`${what}${times}${rest}`}
      </text>
    </g>
  );
}

interface NodeProps {
  readonly placed: PlacedNode;
  readonly isChosen: boolean;
  readonly onChoose: (node: string | undefined) => void;
}

function Node({ placed, isChosen, onChoose }: NodeProps) {
  const { t } = useSpeech();
  const { node } = placed;
  const tone = node.severity === null ? "" : ` severity-${node.severity}`;
  return (
    <g transform={`translate(${leftOf(placed)},${topOf(placed)})`}>
      <foreignObject width={NODE_WIDTH} height={NODE_HEIGHT}>
        <button
          type="button"
          className={`story-node kind-${node.kind}${tone}${isChosen ? " chosen" : ""}`}
          aria-pressed={isChosen}
          title={visible(`${node.label}\n${node.detail}`.trim(), FULL_CHARACTERS)}
          onClick={() => onChoose(isChosen ? undefined : node.id)}
        >
          <bdi>{visible(node.label, LABEL_CHARACTERS)}</bdi>
          <span className="detail">
            {node.detail === "" ? t(`storyKind.${node.kind}`) : <bdi>{visible(node.detail, DETAIL_CHARACTERS)}</bdi>}
          </span>
        </button>
      </foreignObject>
    </g>
  );
}

interface ChosenProps {
  readonly node: StoryNode | undefined;
  readonly edges: readonly StoryEdge[];
  readonly places: ReadonlyMap<string, PlacedNode>;
}

/** All of what the chosen node says, and what it has to do with others. */
function Chosen({ node, edges, places }: ChosenProps) {
  const { t, nameOf } = useSpeech();
  if (node === undefined) return <p className="quiet">{t("story.choose")}</p>;
  const near = edges.filter(({ from, to }) => from === node.id || to === node.id);
  const labelOf = (id: string) => visible(places.get(id)?.node.label ?? "", LABEL_CHARACTERS);
  return (
    <div className="story-chosen" aria-live="polite">
      <p>
        <span className="tag tone-other">{t(`storyKind.${node.kind}`)}</span>{" "}
        <strong>
          <bdi>{visible(node.label, FULL_CHARACTERS)}</bdi>
        </strong>
      </p>
      {node.detail === "" ? null : (
        <p className="mono">
          <bdi>{visible(node.detail, FULL_CHARACTERS)}</bdi>
        </p>
      )}
      <ul>
        {near.map(({ from, to, what, count }) => (
          <li key={`${from}|${to}|${what}`}>
            <bdi>{labelOf(from)}</bdi> {nameOf("storyVerb", what)} <bdi>{labelOf(to)}</bdi>
            {count > 1 ? ` ×${count}` : ""}
          </li>
        ))}
      </ul>
    </div>
  );
}
