import { useQuery } from "@tanstack/react-query";
import { answer, api } from "./client.ts";
import type { IndicatorList, NewAllowEntry, RuleFileContent, RuleModeChange } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import { useSend } from "./send.ts";

const at = (id: number) => ({ params: { path: { id } } });

/** All rules, and what of their files cannot be used. */
export function useRuntimeRules(enabled = true) {
  return useQuery({
    queryKey: ["runtime-rules"],
    queryFn: () => answer(api.GET("/api/v1/runtime-rules")),
    enabled,
  });
}

export function useSetRuleMode() {
  return useSend((body: RuleModeChange) => answer(api.PUT("/api/v1/runtime-rules/modes", { body })), ["runtime-rules"]);
}

export function useRemoveRuleMode() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/runtime-rules/modes/{id}", at(id))), ["runtime-rules"]);
}

export function useRuleFiles() {
  return usePaged(["rule-files"], async () => {
    const { items } = await answer(api.GET("/api/v1/rule-files"));
    return { items, total: items.length };
  });
}

/** Keeps a file of rules; with `dryRun` it is only checked. */
export function usePutRuleFile() {
  return useSend(
    (body: RuleFileContent) => answer(api.PUT("/api/v1/rule-files", { body })),
    ["rule-files", "runtime-rules"],
  );
}

export function useRemoveRuleFile() {
  return useSend(
    (id: number) => answer(api.DELETE("/api/v1/rule-files/{id}", at(id))),
    ["rule-files", "runtime-rules"],
  );
}

export function useAllowEntries() {
  return usePaged(["allow-entries"], async () => {
    const { items } = await answer(api.GET("/api/v1/allow-entries"));
    return { items, total: items.length };
  });
}

export function useAddAllowEntry() {
  return useSend((body: NewAllowEntry) => answer(api.POST("/api/v1/allow-entries", { body })), ["allow-entries"]);
}

export function useRemoveAllowEntry() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/allow-entries/{id}", at(id))), ["allow-entries"]);
}

export function useIndicators() {
  return usePaged(["indicators"], (cursor) =>
    answer(api.GET("/api/v1/indicators", { params: { query: pageQuery({}, cursor) } })),
  );
}

export function useAddIndicators() {
  return useSend((body: IndicatorList) => answer(api.POST("/api/v1/indicators", { body })), ["indicators"]);
}

export function useRemoveIndicator() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/indicators/{id}", at(id))), ["indicators"]);
}
