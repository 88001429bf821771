import { Type } from "typebox";
import { List } from "../list.ts";

const Text = Type.String();
const Time = Type.Union([Text, Type.Null()]);
const Label = Type.Object({ name: Text, value: Text });

export const BaselineShape = Type.Object({
  id: Type.Integer(),
  cluster: Type.Object({ id: Type.Integer(), name: Text }),
  namespace: Type.String({ description: "empty: all" }),
  label: Type.Union([Label, Type.Null()], { description: "of the pods; null: any" }),
  state: Type.Enum(["learning", "proposed", "active", "retired"]),
  startedBy: Text,
  startedAt: Text,
  learnUntil: Text,
  countedAt: Time,
  pods: Type.Integer({ description: "the most at once" }),
  excluded: Type.Integer({ description: "pods from which nothing was learned, when they were counted last" }),
  excludedWorkloads: List(Text),
  tooMany: Type.Array(Text, {
    description: "kinds of which more was seen than is kept: the policy asks nothing of them",
  }),
  problem: Type.String({ description: "why nothing is learned now; empty where it is" }),
  policy: Type.String({ description: "the policy that holds for it; empty where none does" }),
  approvedBy: Text,
  approvedAt: Time,
  retiredBy: Text,
  retiredAt: Time,
});

export const BaselineDetailShape = Type.Object({
  ...BaselineShape.properties,
  values: List(
    Type.Object({
      kind: Type.String({
        description:
          "image, user, privileged, capability, host-namespace, host-path, service-account, token, or broken-policy: a policy that pods would break",
      }),
      value: Text,
      pods: Type.Integer({ description: "that had it at once, at most" }),
      sources: Type.Array(Text, { description: "some of the workloads that it was seen in" }),
      more: Type.Boolean({ description: "there were others" }),
      firstSeen: Text,
      lastSeen: Text,
    }),
  ),
});

export const ProposalShape = Type.Object({
  policy: Text,
  content: Type.String({ description: "a policy of admission (YAML) that watches" }),
  tooMany: List(Text),
  enforceable: Type.Array(Type.Object({ policy: Text, title: Text, mode: Text }), {
    description: "policies that nothing that was seen breaks, by what objects say; for a namespace alone",
  }),
  broken: List(Type.Object({ policy: Text, pods: Type.Integer() })),
});

// Kubernetes, "Labels and Selectors": Syntax and character set.
export const LabelBody = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      maxLength: 317,
      pattern: "^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$",
      examples: ["owner"],
    }),
    value: Type.String({
      minLength: 1,
      maxLength: 63,
      pattern: "^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$",
      examples: ["payments"],
    }),
  },
  { additionalProperties: false },
);
