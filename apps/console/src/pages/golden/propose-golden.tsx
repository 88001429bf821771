import { App, Form, Input, Select } from "antd";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useOwners } from "../../api/administration.ts";
import { useProposeGolden } from "../../api/golden.ts";
import { useRepositories } from "../../api/registries.ts";
import { useMay } from "../../api/session.ts";
import { useExplain } from "../../components/explain.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";

const SHOWN_NAME = 80;
const MAX_PURPOSE = 2_000;

interface Values {
  readonly repository: number;
  readonly digest?: string;
  readonly purpose: string;
  readonly owner?: number;
}

/** Proposes a repository, or one image of it; somebody else approves. */
export function ProposeGolden() {
  const { t } = useSpeech();
  const { message } = App.useApp();
  const explain = useExplain();
  const navigate = useNavigate();
  const propose = useProposeGolden();
  const required = [{ required: true, message: t("form.required") }];
  const send = ({ digest = "", owner, ...rest }: Values, close: () => void) =>
    propose.mutate(
      { ...rest, ...(digest === "" ? {} : { digest }), ...(owner === undefined ? {} : { owner }) },
      {
        onSuccess: ({ golden }) => {
          close();
          void navigate(`/golden/${golden.id}`);
        },
        onError: (error) => void message.error(explain(error).title),
      },
    );
  return (
    <FormModal<Values>
      title={t("golden.propose")}
      submit={t("golden.propose")}
      sending={propose.isPending}
      onSubmit={send}
    >
      {() => (
        <>
          <Form.Item name="repository" label={t("risks.repository")} rules={required}>
            <RepositorySelect />
          </Form.Item>
          <Form.Item name="digest" label={t("image.digest")} extra={t("golden.digestHint")}>
            <Input className="mono" maxLength={160} spellCheck={false} />
          </Form.Item>
          <Form.Item name="purpose" label={t("golden.purpose")} extra={t("golden.purposeHint")} rules={required}>
            <Input.TextArea rows={3} maxLength={MAX_PURPOSE} />
          </Form.Item>
          <OwnerField />
        </>
      )}
    </FormModal>
  );
}

function RepositorySelect(field: { readonly value?: number; readonly onChange?: (value: number) => void }) {
  const { t } = useSpeech();
  const [typed, setTyped] = useState("");
  const found = useRepositories(typed === "" ? {} : { search: typed });
  const options = found.items.map(({ id, name, registry }) => ({
    value: id,
    label: visible(`${registry.name}/${name}`, SHOWN_NAME),
  }));
  return (
    <Select
      {...field}
      showSearch={{ filterOption: false, onSearch: setTyped }}
      loading={found.loading}
      options={options}
      notFoundContent={t("filters.noneTitle")}
    />
  );
}

function OwnerField() {
  const may = useMay()("admin:read");
  return may ? <OwnerSelect /> : null;
}

function OwnerSelect() {
  const { t } = useSpeech();
  const options = useOwners().items.map(({ id, name }) => ({ value: id, label: visible(name, SHOWN_NAME) }));
  return (
    <Form.Item name="owner" label={t("images.owner")}>
      <Select allowClear showSearch={{ optionFilterProp: "label" }} options={options} />
    </Form.Item>
  );
}
