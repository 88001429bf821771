import { ServerError } from "./errors.ts";

/**
 * Reads a parameter that holds several words, separated by commas.
 *
 * @throws ServerError `INVALID_REQUEST` for a word that is none of those known
 */
export function listOf<Word extends string>(text: string | undefined, known: readonly Word[]): readonly Word[] {
  if (text === undefined || text === "") return [];
  return text.split(",").map((word) => {
    const found = known.find((each) => each === word);
    if (found === undefined) {
      throw new ServerError(
        "INVALID_REQUEST",
        `"${word.slice(0, 50)}" is none of ${known.join(", ")}`,
        "check the spelling",
      );
    }
    return found;
  });
}
