import type { SearchQuery } from "../../api/contract.ts";

/** @example questionOf({ component: "log4j-core", range: "<2.17.1" }) // "log4j-core <2.17.1" */
export function questionOf({ vulnerability, component, range, ecosystem }: SearchQuery): string {
  return [vulnerability, component, range, ecosystem].filter(Boolean).join(" ");
}

/** Where the search is asked again. */
export function searchAddress(query: SearchQuery): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return `/search?${new URLSearchParams(given)}`;
}
