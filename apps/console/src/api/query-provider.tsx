import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { App } from "antd";
import { type ReactNode, useRef, useState } from "react";
import { useExplain } from "../components/explain.ts";
import { visible } from "../components/visible.ts";
import { ApiError } from "./client.ts";
import { SESSION_KEY } from "./session.ts";

const FRESH_MS = 15_000;
const RETRIES = 2;
const SHOWN_CHARACTERS = 300;
/** Refusals of the login page are shown in its form. */
const LOGIN_CODES = ["UNAUTHENTICATED", "TOTP_REQUIRED"];

/** Reading and sending for all below. An ended session leads to the login page; a refused change is told. */
export function QueryProvider({ children }: { readonly children: ReactNode }) {
  const { message } = App.useApp();
  const explain = useExplain();
  const tell = useRef((_: Error) => undefined as unknown);
  tell.current = (error) => {
    const { title, next } = explain(error);
    const detail = error instanceof ApiError && error.problem.status > 0 ? error.problem.title : "";
    return message.error(visible([title, detail, next].filter(Boolean).join(" · "), SHOWN_CHARACTERS), 6);
  };
  const [client] = useState(() => createQueries((error) => tell.current(error)));
  return <QueryClientProvider client={client}>{children}</QueryClientProvider>;
}

function createQueries(tell: (error: Error) => unknown): QueryClient {
  const leave = (error: Error) => {
    if (error instanceof ApiError && error.problem.status === 401) client.setQueryData(SESSION_KEY, null);
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: leave }),
    mutationCache: new MutationCache({
      onError: (error) => {
        leave(error);
        if (!(error instanceof ApiError && LOGIN_CODES.includes(error.problem.code))) tell(error);
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: FRESH_MS,
        refetchOnWindowFocus: false,
        // What the server refused it will refuse again; only what did not reach it is tried again.
        retry: (failures, error) =>
          failures < RETRIES &&
          error instanceof ApiError &&
          (error.problem.status === 0 || error.problem.status >= 502),
      },
    },
  });
  return client;
}
