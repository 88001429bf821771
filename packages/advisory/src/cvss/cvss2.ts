/** Metric weights of CVSS 2.0, section 3.2.1. */
const WEIGHTS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  AV: { L: 0.395, A: 0.646, N: 1 },
  AC: { H: 0.35, M: 0.61, L: 0.71 },
  Au: { M: 0.45, S: 0.56, N: 0.704 },
  C: { N: 0, P: 0.275, C: 0.66 },
  I: { N: 0, P: 0.275, C: 0.66 },
  A: { N: 0, P: 0.275, C: 0.66 },
};

/**
 * Base score of a CVSS 2.0 vector (guide, section 3.2.1), undefined when a base metric is missing or unknown.
 *
 * @example cvss2Score("AV:N/AC:L/Au:N/C:P/I:P/A:P"); // 7.5
 */
export function cvss2Score(vector: string): number | undefined {
  const metrics = new Map(
    vector
      .replace(/^\(|\)$/g, "")
      .split("/")
      .map((part) => part.split(":", 2) as [string, string]),
  );
  const weights = ["AV", "AC", "Au", "C", "I", "A"].map((name) => WEIGHTS[name]?.[metrics.get(name) ?? ""]);
  if (weights.some((weight) => weight === undefined)) return undefined;
  const [av, ac, au, c, i, a] = weights as [number, number, number, number, number, number];
  const impact = 10.41 * (1 - (1 - c) * (1 - i) * (1 - a));
  const exploitability = 20 * av * ac * au;
  const score = (0.6 * impact + 0.4 * exploitability - 1.5) * (impact === 0 ? 0 : 1.176);
  return Math.round(score * 10) / 10;
}
