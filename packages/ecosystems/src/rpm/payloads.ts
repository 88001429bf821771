/**
 * What the three database formats share. Each reader hands out the packages' header blobs one after the other. A hostile
 * file can point many records at the same bytes; real records never overlap, so the bytes handed out and walked over are
 * charged to a budget of the file's own size, which keeps the work linear.
 */

/** Called with one rpm header; valid only during the call. */
export type PayloadVisitor = (payload: Uint8Array) => void;

export interface Budget {
  /** False when the file was read over more often than it is long: its records overlap. */
  spend(bytes: number): boolean;
}

export function createBudget(bytes: number): Budget {
  let left = bytes;
  return {
    spend(amount) {
      left -= amount;
      return left >= 0;
    },
  };
}

export const OVERLAP = "records of the rpm database overlap, the rest was not read";

/** Joins the pieces of a record that is spread over pages. */
export function join(pieces: readonly Uint8Array[]): Uint8Array {
  const first = pieces[0];
  if (pieces.length === 1 && first !== undefined) return first;
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
