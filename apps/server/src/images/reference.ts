import type { ImageItem } from "@bulwark/store";

/** How people name an image: by its first place and tag, else by digest. */
export function referenceOf({ locations, digest }: Pick<ImageItem, "locations" | "digest">): string {
  const place = locations[0];
  if (place === undefined) return digest;
  const name = `${place.registry}/${place.repository}`;
  const tag = place.tags[0];
  return tag === undefined ? `${name}@${digest}` : `${name}:${tag}`;
}

/** An image of a list, as the API gives it. */
export function itemOf<Item extends ImageItem>(item: Item): Item & { readonly reference: string } {
  return { ...item, reference: referenceOf(item) };
}
