import { Alert, Button, Form, Input } from "antd";
import { useEffect } from "react";
import { Navigate, useSearchParams } from "react-router";
import { ApiError } from "../../api/client.ts";
import { type Credentials, useLogin, useProviders, useSession } from "../../api/session.ts";
import { useExplain } from "../../components/explain.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { Mark } from "../../layout/mark.tsx";
import { Preferences } from "../../layout/preferences.tsx";
import "../../components/page.css";
import "./login.css";

/** Login by password, with a code where the account asks for one, or by a single sign-on provider. */
export function Page() {
  const { t } = useSpeech();
  const session = useSession();
  const [search] = useSearchParams();
  useEffect(() => {
    document.title = `${t("login.title")} · ${t("product")}`;
  }, [t]);
  if (session.data) return <Navigate replace to={backTo(search.get("back"))} />;
  return (
    <main className="login">
      <div className="login-preferences">
        <Preferences />
      </div>
      <section className="login-card" aria-label={t("login.title")}>
        <div className="login-brand">
          <Mark size={36} />
          <h1>{t("product")}</h1>
        </div>
        <p className="quiet">{t("login.lead")}</p>
        <PasswordForm />
        <Providers />
      </section>
    </main>
  );
}

function PasswordForm() {
  const { t } = useSpeech();
  const login = useLogin();
  const code = login.error instanceof ApiError ? login.error.problem.code : undefined;
  const asksCode = code === "TOTP_REQUIRED";
  return (
    <Form<Credentials> layout="vertical" requiredMark={false} onFinish={(values) => login.mutate(values)}>
      {login.error === null || asksCode ? null : <Refused error={login.error} />}
      <Form.Item name="login" label={t("login.name")} rules={[{ required: true, message: t("form.required") }]}>
        <Input autoComplete="username" autoFocus maxLength={200} spellCheck={false} />
      </Form.Item>
      <Form.Item name="password" label={t("login.password")} rules={[{ required: true, message: t("form.required") }]}>
        <Input.Password autoComplete="current-password" maxLength={1000} />
      </Form.Item>
      {asksCode ? (
        <Form.Item
          name="code"
          label={t("login.code")}
          extra={t("login.codeHint")}
          rules={[{ required: true, message: t("form.required") }]}
        >
          <Input autoComplete="one-time-code" inputMode="numeric" maxLength={10} autoFocus />
        </Form.Item>
      ) : null}
      <Button type="primary" htmlType="submit" block loading={login.isPending}>
        {t("login.submit")}
      </Button>
    </Form>
  );
}

function Refused({ error }: { readonly error: Error }) {
  const { t } = useSpeech();
  const explain = useExplain();
  const code = error instanceof ApiError ? error.problem.code : undefined;
  const { title, next } = code === "UNAUTHENTICATED" ? { title: t("login.refused"), next: undefined } : explain(error);
  return <Alert className="form-alert" type="error" showIcon title={title} description={next} />;
}

function Providers() {
  const { t } = useSpeech();
  const providers = useProviders().data?.items ?? [];
  if (providers.length === 0) return null;
  return (
    <div className="login-providers">
      <p className="quiet">{t("login.or")}</p>
      {providers.map((provider) => (
        <Button key={provider.id} block href={`/api/v1/session/oidc/${encodeURIComponent(provider.id)}/start`}>
          {t("login.with")} <SafeText value={provider.name} max={40} />
        </Button>
      ))}
    </div>
  );
}

/** Only a path of this console: an address of another host must not come out of a link to the login page. */
function backTo(asked: string | null): string {
  if (asked === null || !/^\/(?![/\\])/.test(asked)) return "/";
  const target = new URL(asked, window.location.origin);
  return target.origin === window.location.origin ? `${target.pathname}${target.search}` : "/";
}
