/** The product's sign: a battlement. */
export function Mark({ size = 24 }: { readonly size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <path fill="var(--accent)" d="M4 5h5v4h4V5h6v4h4V5h5v13c0 5-5 8.500-12 11C9 26.500 4 23 4 18z" />
      <path fill="var(--surface)" d="M10 14h12v3H10zM12 19h8v3h-8z" />
    </svg>
  );
}
