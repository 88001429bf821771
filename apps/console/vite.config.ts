import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Where `npm run dev` finds the server. */
const SERVER = process.env.BULWARK_SERVER ?? "http://127.0.0.1:8080";

/** The server puts a fresh nonce in its place with every page (apps/server/src/console). */
const NONCE_PLACEHOLDER = "BULWARK_CSP_NONCE";

/** Writes each file's compressed form beside it, so that the server compresses nothing. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    writeBundle({ dir }) {
      const assets = join(dir ?? "", "assets");
      for (const file of readdirSync(assets)) {
        writeFileSync(join(assets, `${file}.br`), brotliCompressSync(readFileSync(join(assets, file))));
      }
    },
  };
}

/**
 * Sets the chosen theme before anything is painted: a script of its own, since the policy allows none within the page, and not
 * a module, since those wait for the page.
 */
function firstPaint(): Plugin {
  const source = readFileSync(join(import.meta.dirname, "src/theme/first-paint.js"), "utf8");
  const fileName = `assets/first-paint-${createHash("sha256").update(source).digest("hex").slice(0, 8)}.js`;
  let builds = false;
  return {
    name: "first-paint",
    configResolved({ command }) {
      builds = command === "build";
    },
    buildStart() {
      if (builds) this.emitFile({ type: "asset", fileName, source });
    },
    transformIndexHtml: () => [
      builds
        ? { tag: "script", attrs: { src: `/${fileName}` }, injectTo: "head-prepend" }
        : { tag: "script", children: source, injectTo: "head-prepend" },
    ],
  };
}

export default defineConfig(({ command }) => ({
  root: import.meta.dirname,
  plugins: [react(), firstPaint(), compressed()],
  ...(command === "build" ? { html: { cspNonce: NONCE_PLACEHOLDER } } : {}),
  build: {
    // The policy allows no `data:` scripts or fonts, so nothing is inlined.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "react", test: /node_modules\/(react|react-dom|react-router|scheduler)\// },
            { name: "charts", test: /node_modules\/(echarts|zrender|tslib)\// },
          ],
        },
      },
    },
  },
  server: {
    port: 5173,
    proxy: { "/api": { target: SERVER, changeOrigin: true, secure: false } },
  },
}));
