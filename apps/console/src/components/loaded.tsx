import type { ReactNode } from "react";
import { Failure } from "./failure.tsx";
import { Waiting } from "./waiting.tsx";

interface Props<Data> {
  readonly query: {
    readonly data: Data | undefined;
    readonly error: Error | null;
    readonly isError: boolean;
    readonly refetch: () => unknown;
  };
  readonly children: (data: Data) => ReactNode;
  readonly rows?: number;
}

/** Shows what a query read, or that it is on its way, or why it failed. */
export function Loaded<Data>({ query, children, rows }: Props<Data>) {
  if (query.isError && query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  if (query.data === undefined) return <Waiting {...(rows === undefined ? {} : { rows })} />;
  return children(query.data);
}
