import { App, Button, Dropdown, Form, Input } from "antd";
import { useState } from "react";
import { useLocation, useNavigate } from "react-router";
import { FormModal } from "../../components/form-modal.tsx";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { readSearches, type SavedSearch, withoutSearch, withSearch, writeSearches } from "./saved.ts";

const SHOWN_NAME = 60;
const MAX_NAME = 80;

/** Searches that this browser keeps: the filters as they stand in the address, under a name. */
export function SavedSearches() {
  const { t } = useSpeech();
  const { search } = useLocation();
  const { modal } = App.useApp();
  const go = useNavigate();
  const [saved, setSaved] = useState(readSearches);
  const keep = (searches: readonly SavedSearch[]) => {
    writeSearches(searches);
    setSaved(searches);
  };
  const forget = (name: string) =>
    void modal.confirm({
      title: t("deleteTitle", { name: visible(name, SHOWN_NAME) }),
      okText: t("delete"),
      okButtonProps: { danger: true },
      onOk: () => keep(withoutSearch(saved, name)),
    });
  const items = saved.map(({ name }) => ({ key: name, label: visible(name, SHOWN_NAME) }));
  return (
    <>
      {saved.length === 0 ? null : (
        <>
          <Dropdown
            trigger={["click"]}
            menu={{
              items,
              onClick: ({ key }) => go(`/events?${saved.find(({ name }) => name === key)?.query ?? ""}`),
            }}
          >
            <Button>{t("events.saved")}</Button>
          </Dropdown>
          <Dropdown trigger={["click"]} menu={{ items, onClick: ({ key }) => forget(key) }}>
            <Button>{t("events.forget")}</Button>
          </Dropdown>
        </>
      )}
      <FormModal<{ name: string }>
        title={t("events.save")}
        submit={t("save")}
        kind="default"
        sending={false}
        onSubmit={({ name }, close) => {
          keep(withSearch(saved, { name: name.trim(), query: search }));
          close();
        }}
      >
        {() => (
          <Form.Item
            name="name"
            label={t("events.saveName")}
            extra={t("events.saveHint")}
            rules={[{ required: true, whitespace: true, message: t("form.required") }]}
          >
            <Input maxLength={MAX_NAME} autoFocus />
          </Form.Item>
        )}
      </FormModal>
    </>
  );
}
