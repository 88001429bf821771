import type { ReactNode } from "react";
import "./empty-state.css";

interface Props {
  readonly title: string;
  /** What to do next. */
  readonly hint: string;
  readonly action?: ReactNode;
}

/** A list without rows: why, and what to do next. */
export function EmptyState({ title, hint, action }: Props) {
  return (
    <div className="empty-state">
      <svg width="40" height="40" viewBox="0 0 40 40" aria-hidden="true">
        <rect x="6" y="8" width="28" height="6" rx="2" />
        <rect x="6" y="17" width="28" height="6" rx="2" opacity=".6" />
        <rect x="6" y="26" width="28" height="6" rx="2" opacity=".3" />
      </svg>
      <h2>{title}</h2>
      <p>{hint}</p>
      {action}
    </div>
  );
}
