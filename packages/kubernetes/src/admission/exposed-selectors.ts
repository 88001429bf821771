import { exposedServices, selectorOf } from "../exposure/exposure.ts";
import type { KubeObject } from "../objects/kube-object.ts";

/**
 * Labels by which services that others than the cluster reach select pods of a namespace.
 *
 * @param objects the services of the namespace, and whatever may lead to them
 */
export function exposedSelectors(
  objects: readonly KubeObject[],
  namespace: string,
): readonly Readonly<Record<string, string>>[] {
  const services = new Set(exposedServices(objects).map(({ service }) => service));
  return [...services]
    .filter((service) => service.namespace === namespace)
    .map(selectorOf)
    .filter((selector) => selector !== undefined);
}
