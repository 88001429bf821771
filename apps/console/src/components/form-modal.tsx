import { Button, Form, type FormInstance, Modal } from "antd";
import { type ReactNode, useState } from "react";
import { useSpeech } from "../i18n/language.tsx";

interface Props<Values> {
  /** Of the button and of the dialogue. */
  readonly title: string;
  readonly submit: string;
  readonly initial?: Partial<Values>;
  readonly sending: boolean;
  /** The button stands in a row of a table. */
  readonly small?: boolean;
  /** How the button stands out where it is not small. */
  readonly kind?: "primary" | "default";
  readonly onSubmit: (values: Values, close: () => void) => void;
  readonly children: (form: FormInstance<Values>) => ReactNode;
}

/** A button that opens a form; Enter sends it, Escape leaves it. */
export function FormModal<Values extends object>({
  title,
  submit,
  initial,
  sending,
  small = false,
  kind = "primary",
  onSubmit,
  children,
}: Props<Values>) {
  const { t } = useSpeech();
  const [open, setOpen] = useState(false);
  const [form] = Form.useForm<Values>();
  const close = () => setOpen(false);
  return (
    <>
      <Button {...(small ? { size: "small" as const } : { type: kind })} onClick={() => setOpen(true)}>
        {title}
      </Button>
      <Modal
        open={open}
        title={title}
        okText={submit}
        cancelText={t("cancel")}
        confirmLoading={sending}
        onOk={form.submit}
        onCancel={close}
        destroyOnHidden
        closable={{ "aria-label": t("close") }}
      >
        <Form<Values>
          form={form}
          layout="vertical"
          className="stack-form"
          preserve={false}
          {...(initial === undefined ? {} : { initialValues: initial })}
          onFinish={(values) => onSubmit(values, close)}
        >
          {children(form)}
          <button type="submit" hidden>
            {submit}
          </button>
        </Form>
      </Modal>
    </>
  );
}
