import { useCallback } from "react";
import { useSearchParams } from "react-router";

export interface UrlState {
  readonly value: (name: string) => string | undefined;
  /** The value if it is one of those; what somebody typed into the address is not trusted. */
  readonly oneOf: <Choice extends string>(name: string, choices: readonly Choice[]) => Choice | undefined;
  readonly flag: (name: string) => true | undefined;
  readonly integer: (name: string) => number | undefined;
  /** Changes some; an undefined or empty one is taken out. */
  readonly set: (changes: Readonly<Record<string, string | undefined>>) => void;
}

/** Filters, sorting, tabs and selections live in the address, so that a view can be sent and found again. */
export function useUrlState(): UrlState {
  const [search, setSearch] = useSearchParams();
  const set = useCallback(
    (changes: Readonly<Record<string, string | undefined>>) => {
      // The address itself, not what was last drawn: a change that follows another at once must not take it back.
      const after = new URLSearchParams(window.location.search);
      for (const [name, value] of Object.entries(changes)) {
        if (value === undefined || value === "") after.delete(name);
        else after.set(name, value);
      }
      setSearch(after, { replace: true });
    },
    [setSearch],
  );
  const value = (name: string) => search.get(name) ?? undefined;
  return {
    value,
    oneOf: (name, choices) => choices.find((choice) => choice === value(name)),
    flag: (name) => (value(name) === "true" ? true : undefined),
    integer: (name) => (/^\d{1,9}$/.test(value(name) ?? "") ? Number(value(name)) : undefined),
    set,
  };
}

/** Leaves out what is undefined, so that it is not sent. */
export function given<Filters extends object>(
  filters: Filters,
): { [Name in keyof Filters]?: Exclude<Filters[Name], undefined> } {
  return Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Filters]?: Exclude<Filters[Name], undefined>;
  };
}
