import type { Container } from "../api/contract.ts";
import { useSpeech } from "../i18n/language.tsx";
import { SafeText } from "./safe-text.tsx";

/** Whether a container runs, and whether it may do anything on its node. */
export function ContainerState({ container }: { readonly container: Container }) {
  const { t, nameOf } = useSpeech();
  const { state, privileged, exposure, selfBuilt } = container;
  const tone = state === "running" ? "tone-good" : state === "paused" ? "tone-medium" : "tone-other";
  return (
    <span className="chips">
      <span className={`tag ${tone}`}>
        <SafeText value={nameOf("containerState", state)} max={40} />
      </span>
      {privileged ? <span className="tag tone-critical">{t("container.privileged")}</span> : null}
      {exposure.length > 0 ? <span className="tag tone-high">{t("container.exposed")}</span> : null}
      {selfBuilt ? <span className="tag tone-medium">{t("container.selfBuilt")}</span> : null}
    </span>
  );
}
