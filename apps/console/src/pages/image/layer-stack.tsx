import { Button } from "antd";
import type { ImageDetail, ImageLayer } from "../../api/contract.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { SeverityCounts, worstOf } from "../../components/severity.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { instructionOf } from "./instruction.ts";
import "./layer-stack.css";

const LEAST_PX = 46;
const GREATEST_PX = 132;
const INSTRUCTION_CHARACTERS = 300;

interface Props {
  readonly image: ImageDetail;
  readonly selected: number | undefined;
  readonly onSelect: (depth: number | undefined) => void;
}

/** The image's layers, the last on top: height by size, colour by the worst finding, own and base apart. */
export function LayerStack({ image, selected, onSelect }: Props) {
  const { t } = useSpeech();
  const topDown = [...image.layers].sort((a, b) => b.depth - a.depth);
  const own = topDown.filter(({ origin }) => origin === "own");
  const base = topDown.filter(({ origin }) => origin === "base");
  const largest = Math.max(1, ...image.layers.map(({ sizeBytes }) => sizeBytes));
  const toggle = (depth: number) => onSelect(depth === selected ? undefined : depth);
  const group = { largest, selected, onToggle: toggle };
  return (
    <section className="layer-stack" aria-label={t("layers.title")}>
      <header>
        <h2>{t("layers.title")}</h2>
        {selected === undefined ? (
          <span className="quiet">{t("layers.hint")}</span>
        ) : (
          <Button size="small" onClick={() => onSelect(undefined)}>
            {t("layers.all")}
          </Button>
        )}
      </header>
      {image.layers.length === 0 ? <p className="quiet">{t("layers.none")}</p> : null}
      {own.length === 0 ? null : <Group {...group} title={t("layers.own", { n: own.length })} layers={own} />}
      {base.length === 0 ? null : (
        <Group {...group} title={t("layers.base", { n: base.length })} name={image.base?.reference} layers={base} />
      )}
    </section>
  );
}

interface GroupProps {
  readonly title: string;
  readonly name?: string | undefined;
  readonly layers: readonly ImageLayer[];
  readonly largest: number;
  readonly selected: number | undefined;
  readonly onToggle: (depth: number) => void;
}

function Group({ title, name, layers, largest, selected, onToggle }: GroupProps) {
  return (
    <div className="layer-group">
      <h3>
        {title}
        {name === undefined ? null : (
          <>
            {" · "}
            <SafeText value={name} />
          </>
        )}
      </h3>
      <ol>
        {layers.map((layer) => (
          <li key={layer.depth}>
            <Layer
              layer={layer}
              height={heightOf(layer.sizeBytes, largest)}
              pressed={layer.depth === selected}
              onToggle={() => onToggle(layer.depth)}
            />
          </li>
        ))}
      </ol>
    </div>
  );
}

interface LayerProps {
  readonly layer: ImageLayer;
  readonly height: number;
  readonly pressed: boolean;
  readonly onToggle: () => void;
}

function Layer({ layer, height, pressed, onToggle }: LayerProps) {
  const { t, format } = useSpeech();
  const { verb, rest } = instructionOf(layer.createdBy);
  return (
    <button
      type="button"
      className={`layer edge-${worstOf(layer)}`}
      aria-pressed={pressed}
      onClick={onToggle}
      style={{ minHeight: height }}
    >
      <span className="layer-line">
        <span className="layer-depth">{layer.depth}</span>
        <span className="layer-instruction">
          {verb === "" ? null : <strong>{verb}</strong>}{" "}
          <SafeText value={rest} mono wrap={pressed} max={INSTRUCTION_CHARACTERS} />
        </span>
      </span>
      <span className="layer-line">
        <span className="quiet number">{format.bytes(layer.sizeBytes)}</span>
        {layer.packages === 0 ? null : <span className="quiet">{t("layers.packages", { n: layer.packages })}</span>}
        {layer.secrets === 0 ? null : (
          <span className="tag tone-high">{t("layers.secrets", { n: layer.secrets })}</span>
        )}
        {layer.malware === 0 ? null : (
          <span className="tag tone-critical">{t("layers.malware", { n: layer.malware })}</span>
        )}
        <span className="layer-counts">
          <SeverityCounts counts={layer} brief />
        </span>
      </span>
    </button>
  );
}

/** By the square root, so that a layer of 1 GB does not push those of 1 MB out of sight. */
function heightOf(sizeBytes: number, largest: number): number {
  return Math.round(LEAST_PX + (GREATEST_PX - LEAST_PX) * Math.sqrt(sizeBytes / largest));
}
