/** Style sheet of the HTML report: light and dark by the reader's own setting, nothing loaded from elsewhere. */
export const STYLE = `
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --text: #1b2430; --faint: #5c6775; --line: #dde2e8;
  --critical: #b3123c; --high: #c2410c; --medium: #a16207; --low: #1d6fa5; --negligible: #64748b; --unknown: #64748b;
  --good: #15803d; --bad: #b3123c; --accent: #3450c8; }
@media (prefers-color-scheme: dark) { :root { --page: #12161c; --card: #1b2129; --text: #e6eaf0; --faint: #98a3b1;
  --line: #313a45; --critical: #ff6b8b; --high: #ff9a5c; --medium: #f2c14b; --low: #6cb8ea; --negligible: #94a3b8;
  --unknown: #94a3b8; --good: #4ade80; --bad: #ff6b8b; --accent: #8fa5ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1200px; padding: 24px; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 22px; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 17px; margin: 28px 0 10px; }
.faint { color: var(--faint); } .notice { border-left: 4px solid var(--bad); padding: 8px 12px; background: var(--card); margin: 12px 0; }
.verdict { display: inline-block; margin: 12px 0 4px; padding: 4px 12px; border-radius: 14px; font-weight: 600; border: 1px solid currentColor; }
.passed { color: var(--good); } .refused { color: var(--bad); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(120px, 1fr)); gap: 12px; margin: 16px 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; }
.card b { display: block; font-size: 26px; line-height: 1.1; } .card .faint { font-size: 13px; }
.critical { color: var(--critical); } .high { color: var(--high); } .medium { color: var(--medium); } .low { color: var(--low); }
.negligible, .unknown { color: var(--negligible); }
.layers { display: flex; height: 26px; border-radius: 6px; overflow: hidden; border: 1px solid var(--line); }
.layers span { min-width: 6px; border-right: 1px solid var(--page); } .layers .base { background: #7c8ea6; } .layers .own { background: var(--accent); }
table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line); font-size: 14px; }
th, td { text-align: left; vertical-align: top; padding: 7px 10px; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
th { border-top: 0; font-weight: 600; white-space: nowrap; } td.mono, .mono { font-family: ui-monospace, monospace; font-size: 13px; }
tr[hidden] { display: none; } .tag { border: 1px solid currentColor; border-radius: 4px; padding: 0 5px; font-size: 12px; white-space: nowrap; }
.filters { display: flex; flex-wrap: wrap; gap: 10px; margin: 10px 0; } input, select { font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--line); border-radius: 6px; padding: 5px 9px; } input { flex: 1 1 220px; }
details summary { cursor: pointer; color: var(--accent); } .scroll { overflow-x: auto; }
`;

/** Filters the findings as the reader types; without scripts the whole list simply stays visible. */
export const SCRIPT = `
const rows = [...document.querySelectorAll("#findings tbody tr")];
const [text, severity, kind, origin] = ["text", "severity", "kind", "origin"].map((id) => document.getElementById(id));
const filter = () => {
  const words = text.value.toLowerCase().split(/\\s+/);
  for (const row of rows) {
    const fits = (!severity.value || row.dataset.severity === severity.value) && (!kind.value || row.dataset.kind === kind.value) && (!origin.value || row.dataset.origin === origin.value);
    row.hidden = !(fits && words.every((word) => row.textContent.toLowerCase().includes(word)));
  }
};
if (text) for (const field of [text, severity, kind, origin]) field.addEventListener("input", filter);
`;
