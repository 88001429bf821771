import { Spin } from "antd";
import { useSpeech } from "../i18n/language.tsx";

/** Stands for the moment in which the first page is read. */
export function Starting() {
  const { t } = useSpeech();
  return <Spin fullscreen aria-label={t("loading")} />;
}
