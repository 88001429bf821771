import { SafeText } from "./safe-text.tsx";

/** A link that others wrote. Only http and https are linked; the target learns nothing of this page. */
export function SafeLink({ href }: { readonly href: string }) {
  if (!isWeb(href)) return <SafeText value={href} mono wrap />;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow" referrerPolicy="no-referrer">
      <SafeText value={href} wrap />
    </a>
  );
}

function isWeb(href: string): boolean {
  return URL.canParse(href) && ["http:", "https:"].includes(new URL(href).protocol);
}
