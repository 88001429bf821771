import { Tooltip } from "antd";
import type { Image } from "../api/contract.ts";
import { useSpeech } from "../i18n/language.tsx";
import { visible } from "./visible.ts";

const TONES = { known: "tone-other", scanned: "tone-good", failed: "tone-critical", gone: "tone-other" } as const;
const SHOWN_CHARACTERS = 300;

/** Whether an image was scanned, and whether all of it could be read. */
export function ImageState({ image }: { readonly image: Image }) {
  const { t } = useSpeech();
  const partial = image.state === "scanned" && !image.complete;
  const text = t(partial ? "imageState.partial" : `imageState.${image.state}`);
  const tone = partial ? "tone-medium" : TONES[image.state];
  const why = image.problem !== "" ? image.problem : partial ? t("imageState.partialHint") : undefined;
  const tag = <span className={`tag ${tone}`}>{text}</span>;
  return why === undefined ? tag : <Tooltip title={visible(why, SHOWN_CHARACTERS)}>{tag}</Tooltip>;
}
