const KEY = "bulwark.event-searches";
const MAX_SAVED = 50;

/** A search of events under a name. `query` is the address's, without the opened event. */
export interface SavedSearch {
  readonly name: string;
  readonly query: string;
}

/** What this browser keeps; what is not readable there counts as nothing. */
export function readSearches(): readonly SavedSearch[] {
  return parsedSearches(window.localStorage.getItem(KEY) ?? "[]");
}

export function writeSearches(searches: readonly SavedSearch[]): void {
  window.localStorage.setItem(KEY, JSON.stringify(searches));
}

/** Searches out of a stored text, which anybody at this browser may have changed. */
export function parsedSearches(text: string): readonly SavedSearch[] {
  const stored = parsed(text);
  return Array.isArray(stored) ? stored.filter(isSearch).slice(0, MAX_SAVED) : [];
}

/** Puts a search under its name, in the place of one that has it; the names are sorted. */
export function withSearch(searches: readonly SavedSearch[], search: SavedSearch): readonly SavedSearch[] {
  const query = new URLSearchParams(search.query);
  query.delete("event");
  const kept = [...withoutSearch(searches, search.name), { name: search.name, query: query.toString() }];
  return kept.toSorted((a, b) => a.name.localeCompare(b.name)).slice(0, MAX_SAVED);
}

export function withoutSearch(searches: readonly SavedSearch[], name: string): readonly SavedSearch[] {
  return searches.filter((search) => search.name !== name);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Somebody wrote something else under the key: there is nothing saved.
    return [];
  }
}

function isSearch(value: unknown): value is SavedSearch {
  const search = value as Partial<SavedSearch> | null;
  return typeof search?.name === "string" && typeof search.query === "string";
}
