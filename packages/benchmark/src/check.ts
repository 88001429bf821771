import type { Fields, Severity } from "@bulwark/model";

/** What a check looks at: an image, a Dockerfile, or one program's configuration file (`app:nginx`). */
export type CheckSubject = "image" | "dockerfile" | `app:${string}`;

/** An example that a test runs: text of a file, or fields of an image subject that replace those of a harmless one. */
export interface CheckSample {
  /** Where the text would lie; empty: the reader's own first example path. */
  readonly path: string;
  readonly content: string;
  /** The fields of an image subject; empty for the other subjects. */
  readonly fields: Fields;
}

/** One configuration check, as read from content/checks. */
export interface Check {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly description: string;
  readonly subject: CheckSubject;
  /** The list of the subject whose entries are judged one by one as `it`; empty: the subject is judged as a whole. */
  readonly each: string;
  /** Only entries with one of these names are judged; empty: all. */
  readonly on: readonly string[];
  /** CEL expression, true where the subject or the entry is at fault. */
  readonly fails: string;
  /** For checks on a whole configuration file: the settings whose line is shown, the first that is there. */
  readonly at: readonly string[];
  /** One line with CEL expressions in braces: `{it.name} is {it.value}`. */
  readonly message: string;
  readonly advice: string;
  readonly references: readonly string[];
  /** Id of the safe fix, for Dockerfiles; empty: there is none. */
  readonly fix: string;
  /** No finding where an OS package put the file there. */
  readonly unlessOwned: boolean;
  readonly samples: { readonly bad: readonly CheckSample[]; readonly good: readonly CheckSample[] };
  readonly file: string;
  /** Line of the check in its file, 1 for the first. */
  readonly line: number;
}
