import { Alert, Button, Collapse, Drawer, Form, Input, Select } from "antd";
import type { RegistrySettings } from "../../api/contract.ts";
import { useConnectRegistry, useTestRegistry } from "../../api/registries.ts";
import { Failure } from "../../components/failure.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";
import { ReadingFields } from "./reading-fields.tsx";

const KINDS = ["docker", "harbor", "oci"] as const;
const WIDTH_PX = 520;
const DEFAULT_POLL_MINUTES = 60;

interface Entered {
  readonly name: string;
  readonly kind: RegistrySettings["kind"];
  readonly address: string;
  readonly username?: string;
  readonly password?: string;
  readonly caPem?: string;
  readonly plainHttp?: boolean;
  readonly allowPrivate?: boolean;
  readonly include?: string;
  readonly exclude?: string;
  readonly pollMinutes?: number | null;
}

interface Props {
  readonly open: boolean;
  readonly onClose: () => void;
}

/** Connects a registry: what was entered can be tried; once kept, its first sync starts. */
export function ConnectDrawer({ open, onClose }: Props) {
  const { t } = useSpeech();
  return (
    <Drawer
      open={open}
      onClose={onClose}
      title={t("registries.connect")}
      size={WIDTH_PX}
      destroyOnHidden
      closable={{ "aria-label": t("close") }}
    >
      <ConnectForm onDone={onClose} />
    </Drawer>
  );
}

function ConnectForm({ onDone }: { readonly onDone: () => void }) {
  const { t } = useSpeech();
  const [form] = Form.useForm<Entered>();
  const connection = useConnection(onDone);
  const required = [{ required: true, message: t("form.required") }];
  const kinds = KINDS.map((value) => ({ value, label: t(`registryKind.${value}`) }));
  return (
    <Form<Entered>
      form={form}
      layout="vertical"
      className="stack-form"
      initialValues={{ kind: "docker", pollMinutes: DEFAULT_POLL_MINUTES }}
      onFinish={(entered) => connection.connect(settingsOf(entered))}
    >
      <Form.Item name="kind" label={t("registries.kind")} rules={required}>
        <Select options={kinds} />
      </Form.Item>
      <Form.Item name="name" label={t("registries.name")} rules={required}>
        <Input maxLength={100} />
      </Form.Item>
      <Form.Item name="address" label={t("registries.address")} extra={t("registries.addressHint")} rules={required}>
        <Input className="mono" maxLength={500} spellCheck={false} />
      </Form.Item>
      <Credentials />
      <Collapse
        ghost
        items={[{ key: "more", label: t("registries.more"), forceRender: true, children: <ReadingFields /> }]}
      />
      <Outcome connection={connection} />
      <div className="chips">
        <Button
          loading={connection.busy}
          onClick={() => void form.validateFields().then((entered) => connection.test(settingsOf(entered)))}
        >
          {t("registries.test")}
        </Button>
        <Button type="primary" htmlType="submit" loading={connection.busy}>
          {t("registries.connectNow")}
        </Button>
      </div>
    </Form>
  );
}

function Credentials() {
  const { t } = useSpeech();
  return (
    <>
      <Form.Item name="username" label={t("registries.username")} extra={t("registries.usernameHint")}>
        <Input autoComplete="off" maxLength={200} spellCheck={false} />
      </Form.Item>
      <Form.Item name="password" label={t("registries.password")} extra={t("registries.passwordHint")}>
        <Input.Password autoComplete="new-password" maxLength={10_000} />
      </Form.Item>
    </>
  );
}

type Connection = ReturnType<typeof useConnection>;

function Outcome({ connection }: { readonly connection: Connection }) {
  const { t } = useSpeech();
  const told = useServerTexts();
  if (connection.error !== null) return <Failure error={connection.error} />;
  if (connection.tested === undefined) return null;
  const { ok, problem } = connection.tested;
  return (
    <Alert
      className="form-alert"
      type={ok ? "success" : "error"}
      showIcon
      title={t(ok ? "registries.works" : "registries.fails")}
      description={problem === "" ? null : <SafeText value={told.problem(problem)} wrap />}
    />
  );
}

/** What failed is in `error`, and told by the form. */
function useConnection(onDone: () => void) {
  const connect = useConnectRegistry();
  const test = useTestRegistry();
  return {
    busy: connect.isPending || test.isPending,
    error: connect.error ?? test.error,
    tested: test.data,
    test: (settings: RegistrySettings) => test.mutate(settings),
    connect: (settings: RegistrySettings) => connect.mutate(settings, { onSuccess: onDone }),
  };
}

function settingsOf({ include, exclude, pollMinutes, ...rest }: Entered): RegistrySettings {
  const lines = (text: string | undefined) =>
    (text ?? "")
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
  const filled = Object.entries(rest).filter(([, value]) => value !== undefined && value !== "" && value !== false);
  return {
    ...(Object.fromEntries(filled) as Pick<RegistrySettings, "name" | "kind" | "address">),
    ...(lines(include).length === 0 ? {} : { include: lines(include) }),
    ...(lines(exclude).length === 0 ? {} : { exclude: lines(exclude) }),
    ...(pollMinutes === null || pollMinutes === undefined ? {} : { pollMinutes }),
  };
}
