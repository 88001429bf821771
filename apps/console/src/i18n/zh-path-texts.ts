import { type Pattern, translated } from "./text-patterns.ts";

/** Steps of attack paths and what ends them (packages/kubernetes/src/paths, packages/kubernetes/src/access/powers.ts). */
const MEANS: readonly Pattern[] = [
  [/^privileged$/, "特权容器"],
  [/^capability all$/, "全部权能"],
  [/^capability (\S+)$/, "权能 $1"],
  [/^capability$/, "权能"],
  [/^host-path (.+)$/, "挂载的节点目录 $1"],
  [/^host-path$/, "挂载的节点目录"],
  [/^runtime-socket (.+)$/, "挂载的运行时套接字 $1"],
  [/^runtime-socket$/, "挂载的运行时套接字"],
  [/^host-pid$/, "共享节点的进程命名空间"],
  [/^unmasked-proc$/, "未屏蔽的 /proc"],
];
const POWERS: readonly Pattern[] = [
  [/^everything everywhere$/, "在整个集群拥有全部权限"],
  [/^everything in (\S+)$/, "在 $1 拥有全部权限"],
  [/^everything on (\S+) everywhere$/, "在所有命名空间对 $1 拥有全部权限"],
  [/^everything on (\S+) in (\S+)$/, "在 $2 对 $1 拥有全部权限"],
  [/^(\w+) (\S+) everywhere$/, "在所有命名空间 $1 $2"],
  [/^(\w+) (\S+) in (\S+)$/, "在 $3 $1 $2"],
];
const WAYS: readonly Pattern[] = [
  ...MEANS,
  [/^container (.+)$/, "容器 $1"],
  [/^its token is mounted$/, "挂载了它的令牌"],
  [/^its token is on the node, in (.+)$/, "它的令牌在该节点的 $1 中"],
  [/^its token can be had$/, "可以取得它的令牌"],
];
const FIXES: readonly Pattern[] = [
  [/^run it without privileged: true, .*$/, "不使用 privileged: true，只授予所需的权能"],
  [/^drop the capability$/, "去掉该权能"],
  [/^mount less of the node, or read-only$/, "少挂载节点目录，或以只读方式挂载"],
  [/^do not mount the runtime's socket$/, "不要挂载运行时的套接字"],
  [/^run it without hostPID$/, "不使用 hostPID"],
  [/^leave procMount at its default$/, "procMount 保持默认值"],
  [/^set automountServiceAccountToken: false .*$/, "不需要访问 API 时设置 automountServiceAccountToken: false"],
  [/^take "everything" out of (.+), or its subject out of (.+)$/, "从 $1 中去掉全部权限，或从 $2 中去掉相应主体"],
  [/^take "(.+)" out of (.+), or its subject out of (.+)$/, "从 $2 中去掉“$1”，或从 $3 中去掉相应主体"],
];

/** A step of an attack path: what names come from the cluster stays as it is. */
export function stepInChinese<Step extends { readonly kind: string; readonly name: string; readonly how: string }>(
  step: Step,
): Step {
  const { kind, name, how } = step;
  if (kind === "escape") return { ...step, name: translated(MEANS, name), how: translated(WAYS, how) };
  if (kind === "power") return { ...step, name: translated(POWERS, name) };
  return kind === "node" || kind === "service-account" ? { ...step, how: translated(WAYS, how) } : step;
}

/** What to change so that a step leads nowhere. */
export function stepFixInChinese(text: string): string {
  return translated(FIXES, text);
}
