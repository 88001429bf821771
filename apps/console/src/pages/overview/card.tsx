import type { ReactNode } from "react";

interface CardProps {
  readonly name: string;
  readonly hint: string;
  readonly wide?: boolean;
  readonly children: ReactNode;
}

/** One function of the framework. */
export function Card({ name, hint, wide = false, children }: CardProps) {
  return (
    <section className={`function-card${wide ? " function-wide" : ""}`} aria-label={name}>
      <h2>{name}</h2>
      <p className="quiet">{hint}</p>
      {children}
    </section>
  );
}
