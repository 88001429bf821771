import { Select, type SelectProps } from "antd";
import { useClusters } from "../api/clusters.ts";
import { visible } from "./visible.ts";

const SHOWN_NAME = 60;

/** Chooses a cluster by its id. */
export function ClusterSelect(props: SelectProps<number>) {
  const clusters = useClusters({});
  return (
    <Select
      {...props}
      showSearch={{ optionFilterProp: "label" }}
      options={clusters.items.map(({ id, name }) => ({ value: id, label: visible(name, SHOWN_NAME) }))}
    />
  );
}
