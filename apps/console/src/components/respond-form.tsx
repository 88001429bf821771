import { Alert, Checkbox, Form, Input, Modal, Select } from "antd";
import { useRef } from "react";
import type { ResponseRequest } from "../api/contract.ts";
import { useAskResponse } from "../api/responses.ts";
import { useMay } from "../api/session.ts";
import { useSpeech } from "../i18n/language.tsx";
import { visible } from "./visible.ts";

/** Upgrades of sensors are asked for on nodes. */
export type AskedAction = Exclude<ResponseRequest["action"], "upgrade">;

/** What is acted on. */
export interface RespondPlace {
  readonly alertId?: number;
  readonly nodeId: number;
  /** The runtime's id; empty for the host itself. */
  readonly container: string;
  /** As people call it. */
  readonly name: string;
  readonly process?: { readonly pid: number; readonly startUs: number; readonly name: string };
  /** A file that suggests itself for quarantine. */
  readonly path?: string;
}

interface Values {
  readonly reason?: string;
  readonly path?: string;
  readonly except?: readonly string[];
  readonly tree?: boolean;
  readonly evidence?: boolean;
}

interface Props {
  readonly action: AskedAction | undefined;
  readonly place: RespondPlace;
  readonly onClose: () => void;
}

const SHOWN_NAME = 60;
const MAX_REASON = 2_000;
const MAX_PATH = 4_096;
const MAX_NETWORKS = 64;
const NEEDS_APPROVAL: readonly AskedAction[] = ["stop", "destroy", "quarantine"];
const DESTROYS: readonly AskedAction[] = ["kill-process", "stop", "destroy"];

/** Says what an action does, asks what it needs, and sends it. */
export function RespondForm({ action: asked, place, onClose }: Props) {
  const { t } = useSpeech();
  const may = useMay();
  const send = useAskResponse();
  const [form] = Form.useForm<Values>();
  // While the dialogue closes it still shows what it was opened for.
  const last = useRef<AskedAction>("isolate");
  if (asked !== undefined) last.current = asked;
  const action = last.current;
  const name = visible(action === "kill-process" ? (place.process?.name ?? "") : place.name, SHOWN_NAME);
  const submit = (values: Values) =>
    send.mutate(requestOf(action, place, values), {
      onSuccess: () => {
        form.resetFields();
        onClose();
      },
    });
  return (
    <Modal
      open={asked !== undefined}
      title={t(`respondTitle.${action}`, { name })}
      okText={t(`responseAction.${action}`)}
      okButtonProps={{ danger: DESTROYS.includes(action) || action === "isolate" }}
      cancelText={t("cancel")}
      confirmLoading={send.isPending}
      onOk={form.submit}
      onCancel={onClose}
      destroyOnHidden
      closable={{ "aria-label": t("close") }}
    >
      <div className="stack">
        <p>{t(`respondHint.${action}`)}</p>
        {NEEDS_APPROVAL.includes(action) && !may("responses:approve") ? (
          <Alert type="info" showIcon title={t("respond.needsApproval")} />
        ) : null}
        <Form<Values>
          form={form}
          layout="vertical"
          className="stack-form"
          preserve={false}
          initialValues={{ evidence: true, path: place.path ?? "" }}
          onFinish={submit}
        >
          <Fields action={action} />
          <Form.Item name="reason" label={t("respond.reason")}>
            <Input.TextArea rows={2} maxLength={MAX_REASON} />
          </Form.Item>
          <button type="submit" hidden>
            {t("respond.send")}
          </button>
        </Form>
      </div>
    </Modal>
  );
}

function Fields({ action }: { readonly action: AskedAction }) {
  const { t } = useSpeech();
  const required = [{ required: true, message: t("form.required") }];
  return (
    <>
      {action === "quarantine" ? (
        <Form.Item name="path" label={t("respond.path")} rules={required} extra={t("respond.pathHint")}>
          <Input className="mono" maxLength={MAX_PATH} />
        </Form.Item>
      ) : null}
      {action === "isolate" ? (
        <Form.Item name="except" label={t("respond.except")} extra={t("respond.exceptHint")}>
          <Select mode="tags" open={false} suffixIcon={null} maxCount={MAX_NETWORKS} placeholder="10.0.0.0/8" />
        </Form.Item>
      ) : null}
      {action === "kill-process" ? (
        <Form.Item name="tree" valuePropName="checked">
          <Checkbox>{t("respond.tree")}</Checkbox>
        </Form.Item>
      ) : null}
      {DESTROYS.includes(action) ? (
        <Form.Item name="evidence" valuePropName="checked">
          <Checkbox>{t("respond.evidence")}</Checkbox>
        </Form.Item>
      ) : null}
    </>
  );
}

function requestOf(action: AskedAction, place: RespondPlace, values: Values): ResponseRequest {
  const { alertId, nodeId, container } = place;
  const parameters = parametersOf(action, place, values);
  return {
    action,
    nodeId,
    container,
    reason: values.reason ?? "",
    evidence: values.evidence ?? true,
    ...(alertId === undefined ? {} : { alertId }),
    ...(parameters === undefined ? {} : { parameters }),
  };
}

function parametersOf(action: AskedAction, { process }: RespondPlace, values: Values) {
  if (action === "quarantine") return { path: values.path ?? "" };
  if (action === "isolate" && (values.except ?? []).length > 0) return { except: [...(values.except ?? [])] };
  if (action === "kill-process" && process !== undefined) {
    const { pid, startUs } = process;
    return { pid, startUs, ...(values.tree === true ? { tree: true } : {}) };
  }
  return undefined;
}
