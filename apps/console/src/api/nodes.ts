import { useQuery } from "@tanstack/react-query";
import { answer, api } from "./client.ts";
import type { NewEnrolmentToken, NewSensorUpgrade } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import { useSend } from "./send.ts";

const at = (id: number) => ({ params: { path: { id } } });

export function useNodes(filters: { readonly text?: string } = {}) {
  return usePaged(["nodes", "list", filters], (cursor) =>
    answer(api.GET("/api/v1/nodes", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function useNode(id: number) {
  return useQuery({ queryKey: ["nodes", id], queryFn: () => answer(api.GET("/api/v1/nodes/{id}", at(id))) });
}

export function useRemoveNode() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/nodes/{id}", at(id))), ["nodes", "assets", "containers"]);
}

export function useSetNodeOwner(id: number) {
  return useSend(
    (ownerId: number | null) => answer(api.PATCH("/api/v1/nodes/{id}", { ...at(id), body: { ownerId } })),
    ["nodes", "containers"],
  );
}

export function useEnrolmentTokens() {
  return usePaged(["enrolment-tokens"], async () => {
    const { items } = await answer(api.GET("/api/v1/enrolment-tokens"));
    return { items, total: items.length };
  });
}

export function useAddEnrolmentToken() {
  return useSend(
    (body: NewEnrolmentToken) => answer(api.POST("/api/v1/enrolment-tokens", { body })),
    ["enrolment-tokens"],
  );
}

export function useRemoveEnrolmentToken() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/enrolment-tokens/{id}", at(id))), ["enrolment-tokens"]);
}

export function useSensorPrograms() {
  return usePaged(["nodes", "programs"], async () => {
    const { items } = await answer(api.GET("/api/v1/sensor-programs"));
    return { items, total: items.length };
  });
}

export function useAddSensorProgram() {
  return useSend(
    async ({ version, file }: { readonly version: string; readonly file: Blob }) =>
      answer(api.POST("/api/v1/sensor-programs", { body: { version, content: await base64Of(file) } })),
    ["nodes"],
  );
}

export function useRemoveSensorProgram() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/sensor-programs/{id}", at(id))), ["nodes"]);
}

/** Upgrades of sensors, of one node or of all. */
export function useSensorUpgrades(filters: { readonly nodeId?: number } = {}) {
  return usePaged(["nodes", "upgrades", filters], (cursor) =>
    answer(api.GET("/api/v1/sensor-upgrades", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function useStartSensorUpgrade() {
  return useSend((body: NewSensorUpgrade) => answer(api.POST("/api/v1/sensor-upgrades", { body })), ["nodes"]);
}

export function useCancelSensorUpgrade() {
  return useSend((id: number) => answer(api.POST("/api/v1/sensor-upgrades/{id}/cancel", at(id))), ["nodes"]);
}

function base64Of(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ""));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
