import { type Fields, fieldsOf } from "@bulwark/model";
import type { ClusterFacts } from "./facts.ts";
import { foreignRules, isOwnBinding } from "./kubernetes-rights.ts";

/**
 * Puts beside each namespace how many workloads it has and its network policies, and beside each workload the services that lead
 * to it: an expression that searched a list for each entry of another would grow with the square of a cluster. Beside each role
 * stand the rules that are not Kubernetes' own (`foreignRules`), beside each binding whether it is one of these (`isKubernetes`).
 */
export function linkCluster(facts: ClusterFacts): ClusterFacts {
  const byNamespace = (list: readonly Fields[] = []) => Map.groupBy(list, ({ namespace }) => String(namespace));
  const [workloads, policies, services] = [facts.workloads, facts.networkPolicies, facts.services].map(byNamespace);
  const { namespaces, workloads: all, roles, bindings, ...rest } = facts;
  return {
    ...rest,
    ...(roles === undefined ? {} : { roles: roles.map((each) => ({ ...each, foreignRules: foreignRules(each) })) }),
    ...(bindings === undefined
      ? {}
      : { bindings: bindings.map((each) => ({ ...each, isKubernetes: isOwnBinding(each) })) }),
    ...(namespaces === undefined
      ? {}
      : {
          namespaces: namespaces.map((each) => {
            const name = String(each.name);
            return {
              ...each,
              workloadCount: workloads?.get(name)?.length ?? 0,
              networkPolicies: policies?.get(name) ?? [],
            };
          }),
        }),
    ...(all === undefined
      ? {}
      : {
          workloads: all.map((each) => {
            const near = services?.get(String(each.namespace)) ?? [];
            return { ...each, services: near.filter((service) => selects(service, fieldsOf(each.labels))) };
          }),
        }),
  };
}

/** A service without a selector leads to no pod by itself (Kubernetes documentation, "Services without selectors"). */
function selects(service: Fields, labels: Fields): boolean {
  const selector = Object.entries(fieldsOf(fieldsOf(service.spec).selector));
  return selector.length > 0 && selector.every(([name, value]) => labels[name] === value);
}
