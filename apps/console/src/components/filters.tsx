import { Checkbox, Input, Select } from "antd";
import { useEffect, useState } from "react";
import type { UrlState } from "./url-state.ts";

const TYPING_MS = 300;

interface Named {
  readonly state: UrlState;
  /** Its name in the address. */
  readonly name: string;
  readonly label: string;
}

/** A text filter; it takes effect when typing stops. */
export function SearchFilter({ state, name, label, width = 260 }: Named & { readonly width?: number }) {
  const current = state.value(name) ?? "";
  const [typed, setTyped] = useState(current);
  const { set } = state;
  useEffect(() => setTyped(current), [current]);
  useEffect(() => {
    if (typed === current) return;
    const timer = window.setTimeout(() => set({ [name]: typed }), TYPING_MS);
    return () => window.clearTimeout(timer);
  }, [typed, current, name, set]);
  return (
    <Input
      allowClear
      type="search"
      aria-label={label}
      placeholder={label}
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
      style={{ width }}
      maxLength={200}
    />
  );
}

interface Choices {
  readonly options: readonly { readonly value: string; readonly label: string }[];
  readonly width?: number;
  /** What holds while nothing is chosen; without it that is no filter. */
  readonly usual?: string;
  /** There are many: typing finds them. */
  readonly searchable?: boolean;
}

export function ChoiceFilter({ state, name, label, options, width = 150, usual, searchable = false }: Named & Choices) {
  return (
    <Select
      {...(searchable ? { showSearch: { optionFilterProp: "label" } } : {})}
      allowClear={usual === undefined}
      aria-label={label}
      placeholder={label}
      value={options.some((option) => option.value === state.value(name)) ? state.value(name) : usual}
      options={[...options]}
      onChange={(value: string | undefined) => state.set({ [name]: value === usual ? undefined : value })}
      style={{ width }}
      popupMatchSelectWidth={false}
    />
  );
}

/** Several of a list; in the address they are separated by commas. */
export function ChoicesFilter({ state, name, label, options, width = 240 }: Named & Choices) {
  const chosen = (state.value(name) ?? "").split(",").filter((value) => options.some((each) => each.value === value));
  return (
    <Select
      allowClear
      mode="multiple"
      maxTagCount="responsive"
      aria-label={label}
      placeholder={label}
      value={chosen}
      options={[...options]}
      onChange={(values: readonly string[]) => state.set({ [name]: values.join(",") })}
      style={{ width }}
      popupMatchSelectWidth={false}
    />
  );
}

export function FlagFilter({ state, name, label }: Named) {
  return (
    <Checkbox
      checked={state.flag(name) === true}
      onChange={(event) => state.set({ [name]: event.target.checked ? "true" : undefined })}
    >
      {label}
    </Checkbox>
  );
}
