import { useSpeech } from "../i18n/language.tsx";
import { visible } from "./visible.ts";
import "./safe-text.css";

/** Longer names are cut: a label may have any length. */
const SHOWN_CHARACTERS = 400;

interface Props {
  readonly value: string | null | undefined;
  readonly mono?: boolean;
  /** Breaks over lines rather than being cut with an ellipsis. */
  readonly wrap?: boolean;
  readonly max?: number;
}

/**
 * Text that others wrote: names, labels, paths, instructions. Control characters and overrides of the writing direction are
 * shown as their code, the length is bounded, and it cannot change the direction or width of what is around it.
 */
export function SafeText({ value, mono = false, wrap = false, max = SHOWN_CHARACTERS }: Props) {
  const { t } = useSpeech();
  if (value === null || value === undefined || value === "") return <span className="quiet">{t("none")}</span>;
  const shown = visible(value, max);
  return (
    <bdi className={`safe${mono ? " mono" : ""}${wrap ? " safe-wrap" : ""}`} {...(wrap ? {} : { title: shown })}>
      {shown}
    </bdi>
  );
}
