import type { Target } from "../route.ts";
import { type Access, catalogAccess, repositoryAccess } from "./access.ts";

/** What a request needs. Only the base of the API needs nothing but an identity. */
export function requiredAccess(method: string, { path, repository }: Target): Access[] {
  if (repository === "") return /\/_catalog$/.test(path) ? [catalogAccess] : [];
  // Also to ask how far an upload is, and to give it up.
  const isUpload = /\/blobs\/uploads\/[^/]*$/.test(path);
  if (isUpload || method === "POST" || method === "PUT" || method === "PATCH")
    return [repositoryAccess(repository, "pull", "push")];
  return [repositoryAccess(repository, method === "DELETE" ? "delete" : "pull")];
}
