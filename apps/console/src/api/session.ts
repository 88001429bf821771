import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ApiError, answer, api, rememberCsrf } from "./client.ts";
import type { Session } from "./contract.ts";
import { useSend } from "./send.ts";

export const SESSION_KEY = ["session"] as const;

/** Who is logged in; null when nobody is. */
export function useSession() {
  return useQuery({ queryKey: SESSION_KEY, queryFn: readSession, staleTime: Number.POSITIVE_INFINITY });
}

async function readSession(): Promise<Session | null> {
  try {
    const session = await answer(api.GET("/api/v1/session"));
    rememberCsrf(session.csrf);
    return session;
  } catch (error) {
    if (error instanceof ApiError && error.problem.status === 401) return null;
    throw error;
  }
}

/** Whether the one who is logged in may do something: `useMay()("registries:write")`. */
export function useMay(): (scope: string) => boolean {
  const scopes = useSession().data?.account.scopes ?? [];
  return (scope) => scopes.includes(scope);
}

export interface Credentials {
  readonly login: string;
  readonly password: string;
  readonly code?: string;
}

export function useLogin() {
  const client = useQueryClient();
  return useSend(
    (body: Credentials) => answer(api.POST("/api/v1/session", { body })),
    [],
    (session) => {
      rememberCsrf(session.csrf);
      // Somebody else may have been here before, whose session ended by itself. What is shown now is only who is here.
      client.removeQueries({ type: "inactive" });
      client.setQueryData(SESSION_KEY, session);
    },
  );
}

export function useLogout() {
  const client = useQueryClient();
  return useSend(
    () => answer(api.DELETE("/api/v1/session")),
    [],
    () => {
      client.clear();
      client.setQueryData(SESSION_KEY, null);
    },
  );
}

export function useProviders() {
  return useQuery({ queryKey: ["providers"], queryFn: () => answer(api.GET("/api/v1/session/providers")) });
}

export function useChangePassword() {
  return useSend((body: { old: string; new: string }) => answer(api.POST("/api/v1/session/password", { body })), []);
}

/** Begins a second factor: the secret for the authenticator app. It counts once a code of it was confirmed. */
export function useBeginTotp() {
  return useSend(
    (password: string) => answer(api.POST("/api/v1/session/totp", { body: { action: "begin", password } })),
    [],
  );
}

export function useConfirmTotp() {
  return useSend((code: string) => answer(api.POST("/api/v1/session/totp", { body: { action: "confirm", code } })), []);
}

export function useEndTotp() {
  return useSend((password: string) => answer(api.DELETE("/api/v1/session/totp", { body: { password } })), ["session"]);
}
