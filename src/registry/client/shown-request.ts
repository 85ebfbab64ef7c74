/** A request as Go's errors show it, which Docker's users know: `Get "https://…"`. */
export function shownRequest({ method, url }: { readonly method: string; readonly url: string }): string {
  return `${method.charAt(0)}${method.slice(1).toLowerCase()} "${url}"`;
}
