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

export default defineConfig(({ command }) => ({
  root: import.meta.dirname,
  plugins: [react(), compressed()],
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
