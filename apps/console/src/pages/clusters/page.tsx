import { Form, Input } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useClusters, useInviteCluster, useRemoveCluster } from "../../api/clusters.ts";
import type { Cluster, NewCluster } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { ClusterState } from "../../components/cluster-state.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { SearchFilter } from "../../components/filters.tsx";
import { FormModal } from "../../components/form-modal.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { ShownOnce } from "../../components/shown-once.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";

/** Where agents reach the gateway unless its operator chose otherwise. */
const GATEWAY_PORT = 9443;

/** Kubernetes clusters that take part or were invited. */
export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const mayWrite = useMay()("admin:write");
  const text = url.value("search");
  const rows = useClusters(text === undefined ? {} : { text });
  const columns = useColumns(mayWrite);
  const [command, setCommand] = useState<string>();
  return (
    <Frame
      title={t("clusters.title")}
      lead={t("clusters.lead")}
      actions={mayWrite ? <Invite onMade={(name) => setCommand(commandOf(name))} /> : null}
    >
      <div className="filters">
        <SearchFilter state={url} name="search" label={t("clusters.cluster")} />
        <Link to="/impact">{t("impact.title")}</Link>
      </div>
      <DataTable
        label={t("clusters.title")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        empty={<EmptyState title={t("clusters.none")} hint={t("clusters.noneHint")} />}
      />
      <ShownOnce
        title={t("clusters.invite")}
        secret={command}
        hint={t("clusters.inviteHint")}
        onClose={() => setCommand(undefined)}
      />
    </Frame>
  );
}

/** The command makes a token of its own, which takes the place of the one that the invitation came with. */
function commandOf(name: string): string {
  const gateway = `${window.location.hostname}:${GATEWAY_PORT}`;
  const quoted = `'${name.replaceAll("'", "'\\''")}'`;
  return `bulwark cluster join ${quoted} --gateway ${gateway} | kubectl apply --filename -`;
}

function Invite({ onMade }: { readonly onMade: (name: string) => void }) {
  const { t } = useSpeech();
  const invite = useInviteCluster();
  const required = [{ required: true, whitespace: true, message: t("form.required") }];
  const send = ({ name, grade }: NewCluster, close: () => void) =>
    invite.mutate(grade == null || grade === "" ? { name } : { name, grade }, {
      onSuccess: ({ cluster }) => {
        close();
        onMade(cluster.name);
      },
    });
  return (
    <FormModal<NewCluster>
      title={t("clusters.invite")}
      submit={t("clusters.invite")}
      sending={invite.isPending}
      onSubmit={send}
    >
      {() => (
        <>
          <Form.Item name="name" label={t("clusters.cluster")} rules={required}>
            <Input maxLength={100} autoFocus />
          </Form.Item>
          <Form.Item name="grade" label={t("clusters.grade")}>
            <Input maxLength={50} />
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}

function useColumns(mayWrite: boolean): readonly Column<Cluster>[] {
  const { t, format } = useSpeech();
  const remove = useRemoveCluster();
  const number = (key: "nodes" | "workloads" | "pods" | "exposed", title: string): Column<Cluster> => ({
    ...{ key, title, width: 100, numeric: true },
    cell: (row) => format.number(row[key]),
  });
  return [
    {
      key: "name",
      title: t("clusters.cluster"),
      cell: ({ id, name }) => (
        <Link to={`/clusters/${id}`}>
          <SafeText value={name} />
        </Link>
      ),
    },
    { key: "state", title: t("clusters.state"), width: 110, cell: ({ state }) => <ClusterState state={state} /> },
    { key: "version", title: t("clusters.version"), width: 130, cell: ({ version }) => <SafeText value={version} /> },
    { key: "grade", title: t("clusters.grade"), width: 110, cell: ({ grade }) => <SafeText value={grade ?? ""} /> },
    { key: "owner", title: t("images.owner"), width: 140, cell: ({ owner }) => <SafeText value={owner?.name} /> },
    number("nodes", t("clusters.nodes")),
    number("workloads", t("clusters.workloads")),
    number("pods", t("clusters.pods")),
    number("exposed", t("clusters.exposed")),
    {
      key: "paths",
      title: t("clusters.paths"),
      width: 120,
      numeric: true,
      cell: ({ id, attackPaths }) => <Link to={`/clusters/${id}?tab=paths`}>{format.number(attackPaths)}</Link>,
    },
    ...(mayWrite
      ? [
          {
            key: "remove",
            title: "",
            width: 110,
            cell: ({ id, name }: Cluster) => (
              <DeleteButton name={name} hint={t("clusters.removeSure")} onDelete={() => remove.mutateAsync(id)} />
            ),
          },
        ]
      : []),
  ];
}
