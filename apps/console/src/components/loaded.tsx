import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Failure } from "./failure.tsx";
import { Waiting } from "./waiting.tsx";

interface Props<Data> {
  readonly query: UseQueryResult<Data>;
  readonly children: (data: Data) => ReactNode;
  readonly rows?: number;
}

/** Shows what a query read, or that it is on its way, or why it failed. */
export function Loaded<Data>({ query, children, rows }: Props<Data>) {
  if (query.isPending) return <Waiting {...(rows === undefined ? {} : { rows })} />;
  if (query.isError) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return children(query.data);
}
