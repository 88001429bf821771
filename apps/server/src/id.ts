import { Type } from "typebox";

/** Id of a row. */
export const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

/** Path of one row. */
export const IdParams = Type.Object({ id: Id });
