import { Alert, App, Button, Form, Input, QRCode } from "antd";
import { useState } from "react";
import { useBeginTotp, useConfirmTotp, useEndTotp, useSession } from "../../api/session.ts";
import { CopyButton } from "../../components/copy-button.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { ShownOnce } from "../../components/shown-once.tsx";
import { useSpeech } from "../../i18n/language.tsx";

interface Entered {
  readonly password: string;
}

/** One-time codes: begun with the password, confirmed with a first code, ended with the password. */
export function SecondFactor({ on }: { readonly on: boolean }) {
  return on ? <End /> : <Begin />;
}

function Begin() {
  const { t } = useSpeech();
  const begin = useBeginTotp();
  const confirm = useConfirmTotp();
  const session = useSession();
  const [codes, setCodes] = useState<string>();
  const required = [{ required: true, message: t("form.required") }];
  if (begin.data?.uri === undefined) {
    return (
      <Form<Entered> layout="vertical" className="stack-form" onFinish={({ password }) => begin.mutate(password)}>
        <p className="quiet">{t("totp.lead")}</p>
        <br />
        <Form.Item name="password" label={t("account.oldPassword")} rules={required}>
          <Input.Password autoComplete="current-password" maxLength={1000} />
        </Form.Item>
        <Button htmlType="submit" loading={begin.isPending}>
          {t("totp.begin")}
        </Button>
      </Form>
    );
  }
  const send = ({ code }: { code: string }) =>
    confirm.mutate(code, { onSuccess: ({ recoveryCodes }) => setCodes((recoveryCodes ?? []).join("\n")) });
  return (
    <Form<{ code: string }> layout="vertical" className="stack-form" onFinish={send}>
      <p>{t("totp.scan")}</p>
      <QRCode value={begin.data.uri} type="svg" bgColor="#ffffff" color="#000000" aria-label={t("totp.scan")} />
      <p className="chips">
        <SafeText value={begin.data.secret} mono wrap />
        <CopyButton text={begin.data.secret ?? ""} what={t("secret.secret")} />
      </p>
      <br />
      <Form.Item name="code" label={t("login.code")} extra={t("login.codeHint")} rules={required}>
        <Input autoComplete="one-time-code" inputMode="numeric" maxLength={10} />
      </Form.Item>
      <Button type="primary" htmlType="submit" loading={confirm.isPending}>
        {t("totp.confirm")}
      </Button>
      <ShownOnce title={t("totp.recovery")} secret={codes} onClose={() => void session.refetch()} />
    </Form>
  );
}

function End() {
  const { t } = useSpeech();
  const { message } = App.useApp();
  const end = useEndTotp();
  const send = ({ password }: Entered) =>
    end.mutate(password, { onSuccess: () => void message.success(t("totp.ended")) });
  return (
    <Form<Entered> layout="vertical" className="stack-form" onFinish={send}>
      <Alert type="success" showIcon title={t("totp.on")} />
      <br />
      <Form.Item
        name="password"
        label={t("account.oldPassword")}
        rules={[{ required: true, message: t("form.required") }]}
      >
        <Input.Password autoComplete="current-password" maxLength={1000} />
      </Form.Item>
      <Button danger htmlType="submit" loading={end.isPending}>
        {t("totp.end")}
      </Button>
    </Form>
  );
}
