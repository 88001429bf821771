import type { ReactNode } from "react";

interface Props {
  readonly children: ReactNode;
  readonly second: ReactNode;
}

/** What stands in a cell of a table, and below it, quieter, what says more of it. */
export function TwoLines({ children, second }: Props) {
  return (
    <span className="two-lines">
      {children}
      <span className="second">{second}</span>
    </span>
  );
}
