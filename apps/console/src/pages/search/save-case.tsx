import { FolderAddOutlined } from "@ant-design/icons";
import { Button, Form, Input, Modal } from "antd";
import { useState } from "react";
import { useNavigate } from "react-router";
import type { SearchQuery } from "../../api/contract.ts";
import { useOpenCase } from "../../api/search.ts";
import { useMay } from "../../api/session.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { questionOf } from "./question.ts";

/** Keeps the question: what is affected is watched until nothing is left. */
export function SaveCase({ query }: { readonly query: SearchQuery }) {
  const { t } = useSpeech();
  const [open, setOpen] = useState(false);
  const navigate = useNavigate();
  const save = useOpenCase();
  const [form] = Form.useForm<{ title: string }>();
  if (!useMay()("findings:write")) return null;
  const submit = ({ title }: { title: string }) =>
    save.mutate({ title, query }, { onSuccess: ({ id }) => void navigate(`/cases/${id}`) });
  return (
    <>
      <Button icon={<FolderAddOutlined />} onClick={() => setOpen(true)}>
        {t("search.save")}
      </Button>
      <Modal
        open={open}
        title={t("search.save")}
        okText={t("save")}
        confirmLoading={save.isPending}
        onOk={form.submit}
        onCancel={() => setOpen(false)}
        destroyOnHidden
      >
        <Form form={form} layout="vertical" onFinish={submit} initialValues={{ title: questionOf(query) }}>
          <Form.Item name="title" label={t("cases.name")} rules={[{ required: true, message: t("form.required") }]}>
            <Input maxLength={200} />
          </Form.Item>
        </Form>
      </Modal>
    </>
  );
}
