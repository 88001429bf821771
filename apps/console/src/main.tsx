import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router/dom";
import { QueryProvider } from "./api/query-provider.tsx";
import { LanguageProvider } from "./i18n/language.tsx";
import { router } from "./router.tsx";
import { ThemeProvider } from "./theme/theme.tsx";
import "./theme/base.css";
import "./theme/tones.css";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <LanguageProvider>
      <ThemeProvider>
        <QueryProvider>
          <RouterProvider router={router} />
        </QueryProvider>
      </ThemeProvider>
    </LanguageProvider>
  </StrictMode>,
);
