export * from "./child.ts";
export * from "./image-builder.ts";
export * from "./read-all.ts";
export * from "./registry.ts";
export * from "./tar-writer.ts";
export * from "./temporary.ts";
