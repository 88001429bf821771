import { answer, api } from "./client.ts";
import type { AdmissionModeChange, DecisionFilters, NewAdmissionException, NewBrake, NewGrant } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import { useSend } from "./send.ts";

const CHANGED = ["admission"] as const;
const at = (id: number) => ({ params: { path: { id } } });

export function useDecisions(filters: DecisionFilters) {
  return usePaged(["admission", "decisions", filters], (cursor) =>
    answer(api.GET("/api/v1/admission/decisions", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function useAdmissionPolicies() {
  return usePaged(["admission", "policies"], async () => {
    const { items } = await answer(api.GET("/api/v1/admission/policies"));
    return { items, total: items.length };
  });
}

export function useSetAdmissionMode() {
  return useSend((body: AdmissionModeChange) => answer(api.POST("/api/v1/admission/modes", { body })), CHANGED);
}

export function useBrakes() {
  return usePaged(["admission", "brakes"], (cursor) =>
    answer(api.GET("/api/v1/admission/brakes", { params: { query: pageQuery({}, cursor) } })),
  );
}

export function usePullBrake() {
  return useSend((body: NewBrake) => answer(api.POST("/api/v1/admission/brakes", { body })), CHANGED);
}

export function useReleaseBrake() {
  return useSend((id: number) => answer(api.POST("/api/v1/admission/brakes/{id}/release", at(id))), CHANGED);
}

export function useAdmissionExceptions() {
  return usePaged(["admission", "exceptions"], (cursor) =>
    answer(api.GET("/api/v1/admission/exceptions", { params: { query: pageQuery({}, cursor) } })),
  );
}

export function useAskAdmissionException() {
  return useSend((body: NewAdmissionException) => answer(api.POST("/api/v1/admission/exceptions", { body })), CHANGED);
}

export function useApproveAdmissionException() {
  return useSend((id: number) => answer(api.POST("/api/v1/admission/exceptions/{id}/approve", at(id))), CHANGED);
}

export function useDeleteAdmissionException() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/admission/exceptions/{id}", at(id))), CHANGED);
}

export function useGrants() {
  return usePaged(["admission", "grants"], (cursor) =>
    answer(api.GET("/api/v1/admission/grants", { params: { query: pageQuery({}, cursor) } })),
  );
}

export function useGiveGrant() {
  return useSend((body: NewGrant) => answer(api.POST("/api/v1/admission/grants", { body })), CHANGED);
}

export function useEndGrant() {
  return useSend((id: number) => answer(api.POST("/api/v1/admission/grants/{id}/end", at(id))), CHANGED);
}
