import type { ScanProgress } from "@bulwark/scan";

const REDRAW_MS = 100;
const MIB = 1024 * 1024;

/** One line on stderr that is redrawn while the work goes on. */
export interface ProgressLine {
  /** Says what is going on. */
  show(text: string): void;
  scan(progress: ScanProgress): void;
  /** Wipes the line. */
  clear(): void;
}

const SILENT: ProgressLine = { show() {}, scan() {}, clear() {} };

/** Progress for people: silent unless stderr is a terminal. */
export function progressLine(quiet: boolean, now: () => number = Date.now): ProgressLine {
  if (quiet || !process.stderr.isTTY) return SILENT;
  let drawn = 0;
  const draw = (text: string) =>
    process.stderr.write(`\r\u001b[2K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
  return {
    show(text) {
      drawn = now();
      draw(text);
    },
    scan({ layersDone, layers, layersCached, bytesRead, bytesTotal }) {
      if (now() - drawn < REDRAW_MS) return;
      drawn = now();
      const cached = layersCached > 0 ? `, ${layersCached} from the cache` : "";
      const read = `${(bytesRead / MIB).toFixed(1)} of ${(bytesTotal / MIB).toFixed(1)} MiB`;
      draw(`reading layers: ${layersDone} of ${layers} done${cached}, ${read}`);
    },
    clear: () => {
      process.stderr.write("\r\u001b[2K");
    },
  };
}
