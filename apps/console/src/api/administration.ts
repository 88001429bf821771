import { useQuery } from "@tanstack/react-query";
import { answer, api } from "./client.ts";
import type { AccountChange, NewAccount, NewToken } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import { useSend } from "./send.ts";

const at = (id: number) => ({ params: { path: { id } } });

export function useAccounts() {
  return usePaged(["accounts"], (cursor) =>
    answer(api.GET("/api/v1/accounts", { params: { query: pageQuery({}, cursor) } })),
  );
}

export function useAddAccount() {
  return useSend((body: NewAccount) => answer(api.POST("/api/v1/accounts", { body })), ["accounts"]);
}

export function useChangeAccount() {
  return useSend(
    ({ id, ...body }: AccountChange & { readonly id: number }) =>
      answer(api.PATCH("/api/v1/accounts/{id}", { ...at(id), body })),
    ["accounts"],
  );
}

export function useUnlockAccount() {
  return useSend((id: number) => answer(api.POST("/api/v1/accounts/{id}/unlock", at(id))), ["accounts"]);
}

export function useTokens() {
  return usePaged(["tokens"], (cursor) =>
    answer(api.GET("/api/v1/tokens", { params: { query: pageQuery({}, cursor) } })),
  );
}

export function useAddToken() {
  return useSend((body: NewToken) => answer(api.POST("/api/v1/tokens", { body })), ["tokens"]);
}

export function useDeleteToken() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/tokens/{id}", at(id))), ["tokens"]);
}

export function useOwners() {
  return usePaged(["owners"], (cursor) =>
    answer(api.GET("/api/v1/owners", { params: { query: pageQuery({}, cursor) } })),
  );
}

export function useAddOwner() {
  return useSend(
    (body: { readonly name: string; readonly email?: string }) => answer(api.POST("/api/v1/owners", { body })),
    ["owners"],
  );
}

export function useSetMembers() {
  return useSend(
    ({ id, accounts }: { readonly id: number; readonly accounts: number[] }) =>
      answer(api.PUT("/api/v1/owners/{id}/accounts", { ...at(id), body: { accounts } })),
    ["owners", "accounts"],
  );
}

export function useDeleteOwner() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/owners/{id}", at(id))), ["owners"]);
}

export interface AuditFilters {
  readonly actor?: string;
  readonly action?: string;
  readonly subject?: string;
  readonly from?: string;
  readonly to?: string;
}

export function useAudit(filters: AuditFilters) {
  return usePaged(["audit", filters], (cursor) =>
    answer(api.GET("/api/v1/audit", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function useVerifyAudit() {
  return useSend(() => answer(api.GET("/api/v1/audit/verify")), []);
}

export function useAdvisoryDatabase() {
  return useQuery({ queryKey: ["database"], queryFn: () => answer(api.GET("/api/v1/database")) });
}
