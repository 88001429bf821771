import { CheckOutlined, CopyOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useState } from "react";
import { useSpeech } from "../i18n/language.tsx";

export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  const { t } = useSpeech();
  const [copied, setCopied] = useState(false);
  const label = copied ? t("copied") : t("copy", { what });
  const copy = () => void window.navigator.clipboard.writeText(text).then(() => setCopied(true));
  const icon = copied ? <CheckOutlined /> : <CopyOutlined />;
  return <Button type="text" size="small" icon={icon} aria-label={label} title={label} onClick={copy} />;
}
