import { answer, api } from "./client.ts";
import type { NewProvider, NewTenant } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import { useSend } from "./send.ts";

/** Identity providers through which people log in. */
export function useProviders() {
  return usePaged(["providers"], () => answer(api.GET("/api/v1/identity-providers")));
}

export function useAddProvider() {
  return useSend((body: NewProvider) => answer(api.POST("/api/v1/identity-providers", { body })), ["providers"]);
}

export function useChangeProvider() {
  return useSend(
    ({ id, body }: { readonly id: string; readonly body: NewProvider }) =>
      answer(api.PUT("/api/v1/identity-providers/{id}", { params: { path: { id } }, body })),
    ["providers"],
  );
}

export function useDeleteProvider() {
  return useSend(
    (id: string) => answer(api.DELETE("/api/v1/identity-providers/{id}", { params: { path: { id } } })),
    ["providers"],
  );
}

/** All tenants; only administrators of the first one may ask. */
export function useTenants() {
  return usePaged(["tenants"], (cursor) =>
    answer(api.GET("/api/v1/tenants", { params: { query: pageQuery({}, cursor) } })),
  );
}

/** Makes a tenant; the password of its administrator is told this once. */
export function useAddTenant() {
  return useSend((body: NewTenant) => answer(api.POST("/api/v1/tenants", { body })), ["tenants"]);
}
