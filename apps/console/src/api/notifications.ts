import { answer, api } from "./client.ts";
import type { ChannelChange, ChannelSettings, NotificationRuleSettings } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import { useSend } from "./send.ts";

const at = (id: number) => ({ params: { path: { id } } });

export function useChannels() {
  return usePaged(["channels"], () => answer(api.GET("/api/v1/channels")));
}

export function useAddChannel() {
  return useSend((body: ChannelSettings) => answer(api.POST("/api/v1/channels", { body })), ["channels"]);
}

export function useChangeChannel() {
  return useSend(
    ({ id, ...body }: ChannelChange & { readonly id: number }) =>
      answer(api.PATCH("/api/v1/channels/{id}", { ...at(id), body })),
    ["channels"],
  );
}

export function useTestChannel() {
  return useSend((id: number) => answer(api.POST("/api/v1/channels/{id}/test", at(id))), ["deliveries"]);
}

export function useDeleteChannel() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/channels/{id}", at(id))), ["channels"]);
}

export function useNotificationRules() {
  return usePaged(["notification-rules"], () => answer(api.GET("/api/v1/notification-rules")));
}

export function useAddNotificationRule() {
  return useSend(
    (body: NotificationRuleSettings) => answer(api.POST("/api/v1/notification-rules", { body })),
    ["notification-rules"],
  );
}

export function useDeleteNotificationRule() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/notification-rules/{id}", at(id))), ["notification-rules"]);
}

export function useDeliveries() {
  return usePaged(["deliveries"], (cursor) =>
    answer(api.GET("/api/v1/deliveries", { params: { query: pageQuery({}, cursor) } })),
  );
}
