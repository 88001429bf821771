import { Alert, Form, Input } from "antd";
import type { Registry, RegistryChange } from "../../api/contract.ts";
import { useChangeRegistry } from "../../api/registries.ts";
import { Failure } from "../../components/failure.tsx";
import { FormModal } from "../../components/form-modal.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { ReadingFields } from "./reading-fields.tsx";

interface Entered {
  readonly name: string;
  readonly address: string;
  readonly username?: string;
  readonly password?: string;
  readonly include?: string;
  readonly exclude?: string;
  readonly pollMinutes?: number | null;
  readonly caPem?: string;
  readonly allowPrivate?: boolean;
  readonly plainHttp?: boolean;
}

/** Changes how a registry is read. A password that is not entered stays; it does not follow to another address. */
export function EditRegistry({ registry }: { readonly registry: Registry }) {
  const { t } = useSpeech();
  const change = useChangeRegistry();
  const { name, address, settings } = registry;
  const initial: Entered = {
    ...settings,
    name,
    address,
    include: (settings.include ?? []).join("\n"),
    exclude: (settings.exclude ?? []).join("\n"),
  };
  return (
    <FormModal<Entered>
      title={t("registries.edit")}
      submit={t("save")}
      initial={initial}
      sending={change.isPending}
      onSubmit={(entered, close) => change.mutate({ id: registry.id, ...changeOf(entered) }, { onSuccess: close })}
      small
    >
      {() => <Fields registry={registry} error={change.error} />}
    </FormModal>
  );
}

function Fields({ registry, error }: { readonly registry: Registry; readonly error: Error | null }) {
  const { t } = useSpeech();
  const required = [{ required: true, message: t("form.required") }];
  const address = Form.useWatch<string | undefined>("address");
  const isMoved = address !== undefined && address !== registry.address && registry.hasSecret;
  return (
    <>
      <Form.Item name="name" label={t("registries.name")} rules={required}>
        <Input maxLength={100} />
      </Form.Item>
      <Form.Item name="address" label={t("registries.address")} extra={t("registries.addressHint")} rules={required}>
        <Input className="mono" maxLength={255} spellCheck={false} />
      </Form.Item>
      {isMoved ? <Alert className="form-alert" type="warning" showIcon title={t("registries.movedHint")} /> : null}
      <Form.Item name="username" label={t("registries.username")}>
        <Input autoComplete="off" maxLength={200} spellCheck={false} />
      </Form.Item>
      <Form.Item name="password" label={t("registries.password")} extra={t("registries.keepPassword")}>
        <Input.Password autoComplete="new-password" maxLength={4_000} />
      </Form.Item>
      <ReadingFields />
      {error === null ? null : <Failure error={error} />}
    </>
  );
}

function changeOf({ include, exclude, pollMinutes, password, ...rest }: Entered): RegistryChange {
  const lines = (text: string | undefined) =>
    (text ?? "")
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
  return {
    ...rest,
    include: lines(include),
    exclude: lines(exclude),
    ...(pollMinutes === null || pollMinutes === undefined ? {} : { pollMinutes }),
    ...(password === undefined || password === "" ? {} : { password }),
  };
}
