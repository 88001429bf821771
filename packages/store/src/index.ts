export { StoreError, type StoreErrorCode } from "./errors.ts";
export {
  connectionOf,
  openStore,
  type Store,
  type StoreOptions,
  type SystemQueries,
  type TenantQueries,
} from "./open-store.ts";
export type { Database, NewRow, Row, RowChange } from "./schema.ts";
