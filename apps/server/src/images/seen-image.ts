import { getImage, type ImageDetail, type TenantQueries } from "@bulwark/store";
import type { Principal } from "../access.ts";
import { notFound } from "../errors.ts";

/** The image, if there is one that may be seen. */
export async function seenImage(db: TenantQueries, digest: string, { owners }: Principal): Promise<ImageDetail> {
  const image = await getImage(db, digest, owners);
  if (image === undefined) throw notFound("image", digest);
  return image;
}
