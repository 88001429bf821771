/** More problems of one file than this are only counted: a hostile file must not fill the report. */
const MAX_PROBLEMS = 20;

/** Collects what one file could not tell. */
export interface ProblemList {
  add(sentence: string): void;
  /** The sentences, with one that counts what was left out. */
  list(): readonly string[];
}

export function createProblems(): ProblemList {
  const sentences: string[] = [];
  let left = 0;
  return {
    add(sentence) {
      if (sentences.length < MAX_PROBLEMS) sentences.push(sentence);
      else left++;
    },
    list: () => (left === 0 ? sentences : [...sentences, `${left} further problems of this file are left out`]),
  };
}
