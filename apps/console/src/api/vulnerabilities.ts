import { useQuery } from "@tanstack/react-query";
import { answer, api } from "./client.ts";
import type { VulnerabilityFilters } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";

export function useVulnerabilities(filters: VulnerabilityFilters) {
  return usePaged(["vulnerabilities", filters], (cursor) =>
    answer(api.GET("/api/v1/vulnerabilities", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function useVulnerability(id: string) {
  return useQuery({
    queryKey: ["vulnerability", id],
    queryFn: () => answer(api.GET("/api/v1/vulnerabilities/{id}", { params: { path: { id } } })),
  });
}

export function usePackages(filters: { readonly search?: string; readonly type?: string }) {
  return usePaged(["packages", filters], (cursor) =>
    answer(api.GET("/api/v1/packages", { params: { query: pageQuery(filters, cursor) } })),
  );
}
