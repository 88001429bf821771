import { useState } from "react";
import { useImages } from "../../api/images.ts";
import { visible } from "../../components/visible.ts";

/** Images to choose from, by what is typed: there may be a hundred thousand. */
export function useImageChoices(shownLength: number) {
  const [text, setText] = useState("");
  const { items } = useImages(text === "" ? {} : { search: text });
  const choices = items.map(({ id, reference }) => ({ value: id, label: visible(reference, shownLength) }));
  return { choices, search: setText };
}
