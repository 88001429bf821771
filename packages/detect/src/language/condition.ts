/** A place in a rule file, counted from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** `proc.name`, `proc.aname[2]`, `evt.arg.flags`. */
interface FieldOperand {
  readonly kind: "field";
  readonly name: string;
  /** What stands in brackets; null without brackets. */
  readonly argument: string | null;
  readonly place: Place;
}

/** `tolower(proc.name)`, `concat(fd.rip, ":", fd.rport)`, `getopt(proc.args, "nt:")[t]`. */
export interface CallOperand {
  readonly kind: "call";
  readonly name: string;
  readonly operands: readonly Operand[];
  readonly argument: string | null;
  readonly place: Place;
}

/** Text, or with more than one element the list on the left of `(a, b) in …`. */
interface LiteralOperand {
  readonly kind: "literal";
  readonly texts: readonly string[];
  readonly place: Place;
}

export type Operand = FieldOperand | CallOperand | LiteralOperand;

/** A value to compare with. A quoted word never names a list. */
export interface Literal {
  readonly text: string;
  readonly quoted: boolean;
}

export const OPERATORS = [
  "exists",
  "=",
  "!=",
  "<",
  "<=",
  ">",
  ">=",
  "contains",
  "icontains",
  "bcontains",
  "startswith",
  "bstartswith",
  "endswith",
  "glob",
  "iglob",
  "regex",
  "in",
  "intersects",
  "pmatch",
] as const;

export type Operator = (typeof OPERATORS)[number];

export interface Check {
  readonly kind: "check";
  readonly left: Operand;
  readonly operator: Operator;
  /** Of `exists` there are none; of `in`, `intersects` and `pmatch` any number; else one. */
  readonly values: readonly Literal[];
  /** Instead of values: `= val(proc.pname)`, `= tolower(proc.pname)`. */
  readonly right: Operand | null;
  readonly place: Place;
}

interface MacroReference {
  readonly kind: "macro";
  readonly name: string;
  readonly place: Place;
}

interface Group<Node> {
  readonly kind: "and" | "or";
  readonly items: readonly Node[];
}

interface Negation<Node> {
  readonly kind: "not";
  readonly item: Node;
}

/** As written: names of macros and lists stand in it. */
export type Condition = Check | MacroReference | Group<Condition> | Negation<Condition>;

/** With macros and lists put in. Macros that are used twice are shared, so it is a graph without cycles. */
export type Resolved = Check | Group<Resolved> | Negation<Resolved> | Constant;

interface Constant {
  readonly kind: "constant";
  readonly value: boolean;
}
