/** Metric weights of CVSS 3.1, section 7.4; 3.0 has the same. */
const WEIGHTS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  UI: { N: 0.85, R: 0.62 },
  C: { H: 0.56, L: 0.22, N: 0 },
  I: { H: 0.56, L: 0.22, N: 0 },
  A: { H: 0.56, L: 0.22, N: 0 },
};
const PRIVILEGES_UNCHANGED: Readonly<Record<string, number>> = { N: 0.85, L: 0.62, H: 0.27 };
const PRIVILEGES_CHANGED: Readonly<Record<string, number>> = { N: 0.85, L: 0.68, H: 0.5 };

/**
 * Base score of a CVSS 3.0 or 3.1 vector (specification, section 7.1), undefined when a base metric is missing or unknown.
 *
 * @example cvss3Score("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"); // 10
 */
export function cvss3Score(vector: string): number | undefined {
  const metrics = new Map(vector.split("/").map((part) => part.split(":", 2) as [string, string]));
  const scope = metrics.get("S");
  if (scope !== "U" && scope !== "C") return undefined;
  const privileges = (scope === "C" ? PRIVILEGES_CHANGED : PRIVILEGES_UNCHANGED)[metrics.get("PR") ?? ""];
  const [av, ac, ui, c, i, a] = ["AV", "AC", "UI", "C", "I", "A"].map(
    (name) => WEIGHTS[name]?.[metrics.get(name) ?? ""],
  );
  if ([av, ac, ui, c, i, a, privileges].some((weight) => weight === undefined)) return undefined;
  const subscore = 1 - (1 - (c as number)) * (1 - (i as number)) * (1 - (a as number));
  const impact = scope === "U" ? 6.42 * subscore : 7.52 * (subscore - 0.029) - 3.25 * (subscore - 0.02) ** 15;
  if (impact <= 0) return 0;
  const exploitability = 8.22 * (av as number) * (ac as number) * (privileges as number) * (ui as number);
  return roundUp(Math.min((scope === "U" ? 1 : 1.08) * (impact + exploitability), 10));
}

/** CVSS 3.1, appendix A: free of the errors of binary fractions. */
function roundUp(value: number): number {
  const scaled = Math.round(value * 100_000);
  return scaled % 10_000 === 0 ? scaled / 100_000 : (Math.floor(scaled / 10_000) + 1) / 10;
}
