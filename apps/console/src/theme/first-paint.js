// Runs before the page is painted (vite.config.ts puts it there); theme.tsx keeps what it reads.
const chosen = window.localStorage.getItem("bulwark.theme");
const isDark = chosen === "dark" || (chosen !== "light" && window.matchMedia("(prefers-color-scheme: dark)").matches);
document.documentElement.dataset.theme = isDark ? "dark" : "light";
