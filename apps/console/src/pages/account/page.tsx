import { App, Button, Form, Input } from "antd";
import { useChangePassword, useSession } from "../../api/session.ts";
import { Page as Frame, Panel } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { SecondFactor } from "./second-factor.tsx";

const LEAST_PASSWORD = 12;

/** Who I am here, and my password. */
export function Page() {
  const { t, nameOf } = useSpeech();
  const account = useSession().data?.account;
  return (
    <Frame title={t("account.title")}>
      <div className="columns">
        <Panel title={t("account.who")}>
          <dl className="facts">
            <dt>{t("login.name")}</dt>
            <dd>
              <SafeText value={account?.login} mono />
            </dd>
            <dt>{t("users.name")}</dt>
            <dd>
              <SafeText value={account?.name} />
            </dd>
            <dt>{t("users.role")}</dt>
            <dd>{account === undefined ? t("none") : nameOf("role", account.role)}</dd>
            <dt>{t("account.tenant")}</dt>
            <dd>
              <SafeText value={account?.tenant.name} />
            </dd>
            <dt>{t("users.totp")}</dt>
            <dd>{t(account?.totp ? "users.totpOn" : "users.totpOff")}</dd>
          </dl>
        </Panel>
        <Panel title={t("users.totp")}>
          <SecondFactor on={account?.totp === true} />
        </Panel>
        <Panel title={t("account.changePassword")}>
          <PasswordForm />
        </Panel>
      </div>
    </Frame>
  );
}

function PasswordForm() {
  const { t } = useSpeech();
  const { message } = App.useApp();
  const change = useChangePassword();
  const [form] = Form.useForm<{ old: string; new: string }>();
  const required = { required: true, message: t("form.required") };
  const send = (values: { old: string; new: string }) =>
    change.mutate(values, {
      onSuccess: () => {
        form.resetFields();
        void message.success(t("account.passwordChanged"));
      },
    });
  return (
    <Form form={form} layout="vertical" className="stack-form" onFinish={send}>
      <Form.Item name="old" label={t("account.oldPassword")} rules={[required]}>
        <Input.Password autoComplete="current-password" maxLength={1000} />
      </Form.Item>
      <Form.Item
        name="new"
        label={t("account.newPassword")}
        rules={[required, { min: LEAST_PASSWORD, message: t("form.tooShort", { n: LEAST_PASSWORD }) }]}
      >
        <Input.Password autoComplete="new-password" maxLength={1000} />
      </Form.Item>
      <Button type="primary" htmlType="submit" loading={change.isPending}>
        {t("account.changePassword")}
      </Button>
    </Form>
  );
}
