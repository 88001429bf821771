import { useQuery } from "@tanstack/react-query";
import { useSpeech } from "./language.tsx";
import type { ServerTexts } from "./zh-server.ts";

interface Told {
  readonly id: string;
  readonly title: string;
}

interface ToldPolicy {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly source: string;
  readonly rules: readonly Told[];
}

const same = (text: string) => text;
const AS_WRITTEN: ServerTexts = {
  checks: {},
  benchmarks: {},
  rules: {},
  policies: {},
  reason: same,
  advice: same,
  problem: same,
  blocking: same,
  alertTitle: same,
  outcome: same,
  gap: same,
  ruleProblem: same,
  evidence: same,
  step: (step) => step,
  stepFix: same,
};

/** Texts of the server in the chosen language; they are read when they are first needed. */
export function useServerTexts() {
  const { language } = useSpeech();
  const { data = AS_WRITTEN } = useQuery({
    queryKey: ["server-texts", language],
    queryFn: async () => (await import("./zh-server.ts")).zhServer,
    enabled: language === "zh",
    staleTime: Number.POSITIVE_INFINITY,
  });
  const texts = language === "zh" ? data : AS_WRITTEN;
  return {
    reason: texts.reason,
    problem: texts.problem,
    /** Why a rule cannot block. */
    blocking: texts.blocking,
    /** Title of an alert, where the server gave it. */
    alertTitle: texts.alertTitle,
    /** What came of a response. */
    outcome: texts.outcome,
    /** Why a node cannot carry out a block. */
    gap: texts.gap,
    /** What of a file of rules cannot be used. */
    ruleProblem: texts.ruleProblem,
    /** What a check of a benchmark found. */
    evidence: texts.evidence,
    /** A step of an attack path, and what to change so that it leads nowhere. */
    step: texts.step,
    stepFix: texts.stepFix,
    /** Name, description and advice of a rule that comes with the product. */
    ruleTitle: (name: string) => texts.rules[name]?.title ?? name,
    ruleDescription: (name: string, description: string) => texts.rules[name]?.description ?? description,
    ruleAdvice: (name: string, advice: string) => texts.rules[name]?.advice ?? advice,
    benchmarkTitle: (id: string, title: string) => texts.benchmarks[id]?.title ?? title,
    benchmarkAdvice: (id: string, advice: string) => texts.benchmarks[id]?.advice ?? advice,
    /** A policy of admission in the chosen language; what tenants wrote stays as it is. */
    policy<Policy extends ToldPolicy>(policy: Policy): Policy {
      const known = policy.source === "shipped" ? texts.policies[policy.name] : undefined;
      if (known === undefined) return policy;
      const { title, description } = known;
      return {
        ...policy,
        ...{ title, description },
        rules: policy.rules.map((rule) => ({ ...rule, title: known.rules[rule.id] ?? rule.title })),
      };
    },
    titleOf: ({ id, title }: Told) => texts.checks[id]?.title ?? title,
    adviceOf: ({ id, advice }: { readonly id: string; readonly advice: string }) =>
      texts.checks[id]?.advice ?? texts.advice(advice),
  };
}
