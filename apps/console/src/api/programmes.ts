import { useQuery } from "@tanstack/react-query";
import { answer, api } from "./client.ts";

/** @param since a day such as `2026-01-31` */
export function useIncrement(since: string) {
  return useQuery({
    queryKey: ["programmes", "increment", since],
    queryFn: () => answer(api.GET("/api/v1/programmes/increment", { params: { query: { since } } })),
  });
}

export function useStock(since: string) {
  return useQuery({
    queryKey: ["programmes", "stock", since],
    queryFn: () => answer(api.GET("/api/v1/programmes/stock", { params: { query: { since } } })),
  });
}

export function useTeamScores() {
  return useQuery({
    queryKey: ["programmes", "teams"],
    queryFn: () => answer(api.GET("/api/v1/programmes/teams")),
  });
}
