export * from "./image-builder.ts";
export * from "./tar-writer.ts";
