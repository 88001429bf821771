import { Alert, Modal } from "antd";
import { useSpeech } from "../i18n/language.tsx";
import { CopyButton } from "./copy-button.tsx";
import { SafeText } from "./safe-text.tsx";

interface Props {
  readonly title: string;
  readonly secret: string | undefined;
  /** What is copied, where it is more than the secret. */
  readonly what?: string;
  /** What to do with it. */
  readonly hint?: string;
  readonly onClose: () => void;
}

const LONG = 2_000;

/** A secret that the server tells once: it stays until somebody says that it is kept. */
export function ShownOnce({ title, secret, what, hint, onClose }: Props) {
  const { t } = useSpeech();
  return (
    <Modal
      open={secret !== undefined}
      title={title}
      onOk={onClose}
      closable={false}
      keyboard={false}
      mask={{ closable: false }}
      okText={t("secret.kept")}
      footer={(_, { OkBtn }) => <OkBtn />}
      destroyOnHidden
    >
      <Alert type="warning" showIcon title={t("secret.once")} />
      <br />
      {hint === undefined ? null : <p className="form-alert">{hint}</p>}
      <div className="chips">
        <SafeText value={secret} mono wrap max={LONG} />
        <CopyButton text={secret ?? ""} what={what ?? t("secret.secret")} />
      </div>
    </Modal>
  );
}
