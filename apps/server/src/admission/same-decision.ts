import type { NewDecision } from "@bulwark/store";

/** What two decisions share that are the same: those about the pods of one controller are, whatever the pods are called. */
export function sameDecision({ violations, ...decision }: NewDecision): string {
  const { namespace, kind, name, subResource, operation, user, dryRun, verdict, grant } = decision;
  const broken = violations.map(({ policy, rule, mode, container, image, exception }) => [
    ...[policy, rule, mode, container, image, exception],
  ]);
  return JSON.stringify([namespace, kind, name, subResource, operation, user, dryRun, verdict, grant, broken]);
}
