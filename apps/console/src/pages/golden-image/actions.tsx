import type { UseMutationResult } from "@tanstack/react-query";
import { App, Button, Form, Input, Select } from "antd";
import { useNavigate } from "react-router";
import type { GoldenDetail, GoldenEnd } from "../../api/contract.ts";
import {
  useApproveGolden,
  useDeprecateGolden,
  useGoldenImages,
  usePublishGolden,
  useRevokeGolden,
  useWithdrawGolden,
} from "../../api/golden.ts";
import { useMay, useSession } from "../../api/session.ts";
import { useExplain } from "../../components/explain.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";

const SHOWN_NAME = 80;
const MAX_TEXT = 2_000;
const MAX_DESCRIPTION = 4_000;
const ENDED = ["revoked"] as const;
const PUBLISHED = ["published", "at-risk", "deprecated"] as const;

/** What may be done with it next, by who may do it. */
export function Actions({ detail }: { readonly detail: GoldenDetail }) {
  const may = useMay();
  const self = useSession().data?.account.id;
  const { golden } = detail;
  const isOut = PUBLISHED.some((state) => state === golden.state);
  const isWaiting = golden.state === "proposed" || golden.state === "approved";
  const withdraws = may("findings:write") && (may("findings:approve") || golden.proposedBy.id === self);
  return (
    <>
      {golden.state === "proposed" && golden.proposedBy.id !== self && may("findings:approve") ? (
        <Approve id={golden.id} />
      ) : null}
      {golden.state !== "proposed" && !ENDED.some((state) => state === golden.state) && may("findings:write") ? (
        <Publish detail={detail} />
      ) : null}
      {isOut && golden.state !== "deprecated" && may("findings:write") ? <Deprecate detail={detail} /> : null}
      {isOut && may("findings:approve") ? <Revoke detail={detail} /> : null}
      {isWaiting && withdraws ? <Withdraw id={golden.id} /> : null}
    </>
  );
}

function useTell() {
  const { message } = App.useApp();
  const explain = useExplain();
  return (error: Error) => {
    const { title, next } = explain(error);
    void message.error(next === undefined ? title : `${title}: ${next}`);
  };
}

function Approve({ id }: { readonly id: number }) {
  const { t } = useSpeech();
  const onError = useTell();
  const approve = useApproveGolden(id);
  return (
    <Button type="primary" loading={approve.isPending} onClick={() => approve.mutate(undefined, { onError })}>
      {t("golden.approve")}
    </Button>
  );
}

function Withdraw({ id }: { readonly id: number }) {
  const { t } = useSpeech();
  const { modal } = App.useApp();
  const navigate = useNavigate();
  const withdraw = useWithdrawGolden(id);
  const ask = () =>
    void modal.confirm({
      title: t("golden.withdrawTitle"),
      content: t("golden.withdrawHint"),
      okText: t("golden.withdraw"),
      onOk: async () => {
        await withdraw.mutateAsync(undefined);
        await navigate("/golden");
      },
    });
  return <Button onClick={ask}>{t("golden.withdraw")}</Button>;
}

interface Publication {
  readonly tag: string;
  readonly description?: string;
}

function Publish({ detail }: { readonly detail: GoldenDetail }) {
  const { t } = useSpeech();
  const onError = useTell();
  const publish = usePublishGolden(detail.golden.id);
  const tags = [...new Set(detail.candidates.map(({ tag }) => tag))].filter((tag) => tag !== "");
  const send = ({ tag, description = "" }: Publication, close: () => void) =>
    publish.mutate({ tag, ...(description === "" ? {} : { description }) }, { onSuccess: close, onError });
  return (
    <FormModal<Publication>
      title={t("golden.publish")}
      submit={t("golden.publish")}
      sending={publish.isPending}
      onSubmit={send}
    >
      {() => (
        <>
          <Form.Item name="tag" label={t("unused.tag")} rules={[{ required: true, message: t("form.required") }]}>
            <Select options={tags.map((value) => ({ value, label: visible(value, SHOWN_NAME) }))} />
          </Form.Item>
          <Form.Item name="description" label={t("golden.description")} extra={t("golden.descriptionHint")}>
            <Input.TextArea rows={4} maxLength={MAX_DESCRIPTION} />
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}

type Ending = UseMutationResult<GoldenDetail, Error, GoldenEnd>;

function Deprecate({ detail }: { readonly detail: GoldenDetail }) {
  const { t } = useSpeech();
  return (
    <End
      detail={detail}
      title={t("golden.deprecate")}
      hint={t("golden.deprecateHint")}
      end={useDeprecateGolden(detail.golden.id)}
    />
  );
}

function Revoke({ detail }: { readonly detail: GoldenDetail }) {
  const { t } = useSpeech();
  return (
    <End
      detail={detail}
      title={t("golden.revoke")}
      hint={t("golden.revokeHint")}
      end={useRevokeGolden(detail.golden.id)}
    />
  );
}

interface EndProps {
  readonly detail: GoldenDetail;
  readonly title: string;
  readonly hint: string;
  readonly end: Ending;
}

function End({ detail, title, hint, end }: EndProps) {
  const { t } = useSpeech();
  const onError = useTell();
  const send = (values: GoldenEnd, close: () => void) => {
    const { reason, version, successor } = values;
    const body = {
      reason,
      ...(version === undefined ? {} : { version }),
      ...(successor === undefined ? {} : { successor }),
    };
    end.mutate(body, { onSuccess: close, onError });
  };
  const versions = detail.versions
    .filter(({ state }) => state !== "revoked")
    .map(({ id, tag, platform }) => ({ value: id, label: visible(`${tag} (${platform})`, SHOWN_NAME) }));
  return (
    <FormModal<GoldenEnd> title={title} submit={title} sending={end.isPending} kind="default" onSubmit={send}>
      {() => (
        <>
          <p className="form-alert quiet">{hint}</p>
          <Form.Item name="reason" label={t("golden.reason")} rules={[{ required: true, message: t("form.required") }]}>
            <Input.TextArea rows={3} maxLength={MAX_TEXT} />
          </Form.Item>
          <Form.Item name="version" label={t("golden.version")} extra={t("golden.versionHint")}>
            <Select allowClear options={versions} />
          </Form.Item>
          <Successor except={detail.golden.id} />
        </>
      )}
    </FormModal>
  );
}

function Successor({ except }: { readonly except: number }) {
  const { t } = useSpeech();
  const options = useGoldenImages({ state: "published" })
    .items.filter(({ id }) => id !== except)
    .map(({ id, repository }) => ({
      value: id,
      label: visible(`${repository.registry}/${repository.name}`, SHOWN_NAME),
    }));
  return (
    <Form.Item name="successor" label={t("golden.successor")}>
      <Select allowClear showSearch={{ optionFilterProp: "label" }} options={options} />
    </Form.Item>
  );
}
