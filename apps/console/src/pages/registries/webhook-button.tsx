import { App, Button } from "antd";
import { useState } from "react";
import type { Registry } from "../../api/contract.ts";
import { useMakeWebhook } from "../../api/registries.ts";
import { ShownOnce } from "../../components/shown-once.tsx";
import { useSpeech } from "../../i18n/language.tsx";

/** Makes the address at which a registry tells what was pushed; an earlier one ends with it. */
export function WebhookButton({ registry }: { readonly registry: Registry }) {
  const { t } = useSpeech();
  const { modal } = App.useApp();
  const make = useMakeWebhook();
  const [address, setAddress] = useState<string>();
  const send = () => make.mutateAsync(registry.id).then(({ url }) => setAddress(url));
  const ask = () =>
    void modal.confirm({ title: t("registries.webhookAgain"), content: t("registries.webhookHint"), onOk: send });
  return (
    <>
      <Button size="small" loading={make.isPending} onClick={registry.hasWebhook ? ask : () => void send()}>
        {t("registries.webhook")}
      </Button>
      <ShownOnce title={t("registries.webhookMade")} secret={address} onClose={() => setAddress(undefined)} />
    </>
  );
}
