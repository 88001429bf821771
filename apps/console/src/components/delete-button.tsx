import { App, Button } from "antd";
import { useSpeech } from "../i18n/language.tsx";
import { visible } from "./visible.ts";

interface Props {
  /** What is deleted; it is named in the question. */
  readonly name: string;
  /** What follows from it. */
  readonly hint: string;
  readonly onDelete: () => Promise<unknown>;
}

const SHOWN_NAME = 60;

export function DeleteButton({ name, hint, onDelete }: Props) {
  const { t } = useSpeech();
  const { modal } = App.useApp();
  const shown = visible(name, SHOWN_NAME);
  const ask = () =>
    void modal.confirm({
      title: t("deleteTitle", { name: shown }),
      content: hint,
      okText: t("delete"),
      okButtonProps: { danger: true },
      onOk: onDelete,
    });
  return (
    <Button size="small" danger onClick={ask} aria-label={t("deleteTitle", { name: shown })}>
      {t("delete")}
    </Button>
  );
}
