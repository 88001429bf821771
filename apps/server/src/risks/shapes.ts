import { Type } from "typebox";
import { Severity } from "../images/shapes.ts";
import { List } from "../list.ts";

const N = Type.Integer();
const Text = Type.String();
const MaybeText = Type.Union([Type.String(), Type.Null()]);
const MaybeNumber = Type.Union([Type.Number(), Type.Null()]);
const Named = Type.Union([Type.Object({ id: N, name: Text }), Type.Null()]);

const RISK = {
  id: N,
  kind: Text,
  finding: Text,
  severity: Severity,
  title: Text,
  package: Text,
  path: Text,
  fixedVersion: Text,
  exploited: Type.Boolean(),
  state: Type.Enum(["open", "assigned", "fixing", "fixed", "reopened", "accepted"]),
  repository: Type.Object({ id: N, name: Text, registry: Text }),
  owner: Named,
  assignee: Named,
  grade: MaybeText,
  images: N,
  firstSeen: Text,
  due: MaybeText,
  overdue: Type.Boolean(),
  fixedAt: MaybeText,
  reopened: N,
  released: Type.Boolean(),
  responsible: Type.Union([
    Type.Object({ verdict: Type.Enum(["base", "own"]), image: MaybeText, digest: MaybeText, owner: Named }),
    Type.Null(),
  ]),
  accepted: Type.Union([
    Type.Object({ reason: Text, until: MaybeText, askedBy: N, approvedBy: Type.Union([N, Type.Null()]) }),
    Type.Null(),
  ]),
};

export const RiskShape = Type.Object(RISK);
export const RiskDetailShape = Type.Object({
  ...RISK,
  history: List(Type.Object({ at: Text, actor: Text, action: Text, detail: Text })),
});

export const MeasuresShape = Type.Object({
  beforeRelease: Type.Object({ fixed: N, total: N, rate: MaybeNumber }),
  byOwner: List(Type.Object({ owner: Text, open: N, overdue: N, fixed: N, meanDays: MaybeNumber })),
  byAge: List(Type.Object({ days: Text, open: N })),
  meanDaysToFix: MaybeNumber,
  reopened: N,
});

export const AssignBody = Type.Object(
  { accountId: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) },
  { additionalProperties: false },
);
export const AcceptBody = Type.Object(
  { reason: Type.String({ minLength: 3, maxLength: 2_000 }), until: Type.String({ format: "date" }) },
  { additionalProperties: false },
);
export const CommentBody = Type.Object(
  { text: Type.String({ minLength: 1, maxLength: 4_000 }) },
  { additionalProperties: false },
);
