import { useQuery } from "@tanstack/react-query";
import { answer, api } from "./client.ts";
import type { FindingFilters, ImageFilters, ScanRequest } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import { useSend } from "./send.ts";

export function useImages(filters: ImageFilters) {
  return usePaged(["images", filters], (cursor) =>
    answer(api.GET("/api/v1/images", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function useImage(digest: string) {
  return useQuery({
    queryKey: ["image", digest],
    queryFn: () => answer(api.GET("/api/v1/images/{digest}", { params: { path: { digest } } })),
  });
}

export function useFindings(digest: string, filters: FindingFilters) {
  return usePaged(["image", digest, "findings", filters], (cursor) =>
    answer(
      api.GET("/api/v1/images/{digest}/findings", { params: { path: { digest }, query: pageQuery(filters, cursor) } }),
    ),
  );
}

export function useImagePackages(digest: string, filters: { readonly search?: string; readonly layer?: number }) {
  return usePaged(["image", digest, "packages", filters], (cursor) =>
    answer(
      api.GET("/api/v1/images/{digest}/packages", { params: { path: { digest }, query: pageQuery(filters, cursor) } }),
    ),
  );
}

export interface ImageChange {
  readonly digest: string;
  readonly ownerId?: number | null;
  readonly grade?: string | null;
}

export function useChangeImage() {
  return useSend(
    ({ digest, ...body }: ImageChange) =>
      answer(api.PATCH("/api/v1/images/{digest}", { params: { path: { digest } }, body })),
    ["image", "images"],
  );
}

export function useScan() {
  return useSend((body: ScanRequest) => answer(api.POST("/api/v1/scans", { body })), ["jobs"]);
}

/** Where the browser downloads an image's bill of materials. */
export function sbomAddress(digest: string, format: "cyclonedx" | "spdx"): string {
  return `/api/v1/images/${encodeURIComponent(digest)}/sbom?format=${format}`;
}
