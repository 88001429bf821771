import { DatePicker, Form, Input, Select } from "antd";
import type { NewWaiver } from "../../api/contract.ts";
import { useRegistries, useRepositories } from "../../api/registries.ts";
import { useMay } from "../../api/session.ts";
import { useAskWaiver } from "../../api/waivers.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { useImageChoices } from "./image-choices.ts";

const SCOPES = ["repository", "image", "registry", "tenant"] as const;
const SHOWN_NAME = 80;

interface Asked extends Omit<NewWaiver, "until"> {
  readonly until: { format(form: string): string };
}

/** Asks for a waiver; somebody else has to approve it. */
export function AskWaiver() {
  const { t } = useSpeech();
  const ask = useAskWaiver();
  const required = [{ required: true, message: t("form.required") }];
  const send = ({ until, scopeId, path, ...rest }: Asked, close: () => void) =>
    ask.mutate(
      {
        ...rest,
        until: until.format("YYYY-MM-DD"),
        ...(rest.scope === "tenant" || scopeId === undefined ? {} : { scopeId }),
        ...(path === undefined || path === "" ? {} : { path }),
      },
      { onSuccess: close },
    );
  return (
    <FormModal<Asked>
      title={t("waivers.add")}
      submit={t("risk.askApproval")}
      initial={{ scope: "repository" }}
      sending={ask.isPending}
      onSubmit={send}
    >
      {(form) => (
        <>
          <Form.Item name="finding" label={t("waivers.finding")} extra={t("waivers.findingHint")} rules={required}>
            <Input className="mono" maxLength={300} spellCheck={false} />
          </Form.Item>
          <Form.Item name="scope" label={t("waivers.place")} rules={required}>
            <Select
              options={SCOPES.map((value) => ({ value, label: t(`waiverScope.${value}`) }))}
              onChange={() => form.setFieldValue("scopeId", undefined)}
            />
          </Form.Item>
          <Form.Item noStyle dependencies={["scope"]}>
            {() => <Place scope={form.getFieldValue("scope")} />}
          </Form.Item>
          <Form.Item name="path" label={t("waivers.path")} extra={t("waivers.pathHint")}>
            <Input className="mono" maxLength={4096} spellCheck={false} />
          </Form.Item>
          <Form.Item name="reason" label={t("risk.reason")} rules={required}>
            <Input.TextArea rows={3} maxLength={2000} />
          </Form.Item>
          <Form.Item name="until" label={t("waivers.until")} rules={required}>
            <DatePicker />
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}

function Place({ scope }: { readonly scope: NewWaiver["scope"] }) {
  if (scope === "tenant") return null;
  return scope === "image" ? <ImagePlace /> : scope === "registry" ? <RegistryPlace /> : <RepositoryPlace />;
}

interface Choice {
  readonly value: number;
  readonly label: string;
}

function PlaceSelect({
  choices,
  onSearch,
}: {
  readonly choices: readonly Choice[];
  readonly onSearch?: (text: string) => void;
}) {
  const { t } = useSpeech();
  return (
    <Form.Item name="scopeId" label={t("waivers.where")} rules={[{ required: true, message: t("form.required") }]}>
      <Select
        showSearch={onSearch === undefined ? { optionFilterProp: "label" } : { filterOption: false, onSearch }}
        options={[...choices]}
      />
    </Form.Item>
  );
}

function RegistryPlace() {
  const { items } = useRegistries();
  return <PlaceSelect choices={items.map(({ id, name }) => ({ value: id, label: visible(name, SHOWN_NAME) }))} />;
}

function RepositoryPlace() {
  const { items } = useRepositories({});
  return (
    <PlaceSelect
      choices={items.map(({ id, name, registry }) => ({
        value: id,
        label: visible(`${registry.name}/${name}`, SHOWN_NAME),
      }))}
    />
  );
}

function ImagePlace() {
  const { choices, search } = useImageChoices(SHOWN_NAME);
  const may = useMay()("images:read");
  return may ? <PlaceSelect choices={choices} onSearch={search} /> : null;
}
