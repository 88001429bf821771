/** Thrown while a check is judged by a fact that was not read: the check is undetermined. */
export class UnreadFact extends Error {
  override readonly name = "UnreadFact";
}
