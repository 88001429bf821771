import type { ReactNode } from "react";
import { Link } from "react-router";

interface Props {
  readonly name: string;
  readonly value: ReactNode;
  readonly tone?: "bad" | "warn" | undefined;
  /** The list that the figure counts. */
  readonly to?: string;
}

/** One number with its name; linked to the list behind it where there is one. */
export function Figure({ name, value, tone, to }: Props) {
  const shown = <span className={`value${tone === undefined ? "" : ` ${tone}`}`}>{value}</span>;
  return (
    <div className="figure">
      <div className="name">{name}</div>
      {to === undefined ? shown : <Link to={to}>{shown}</Link>}
    </div>
  );
}
