import { PlatformError } from "../../errors/platform-error.ts";

/** A broken archive, or a feature of tar that layers and images do not have. `code` names the reason for programs. */
export const tarError = (reason: string, message: string) =>
  new PlatformError("InvalidParameter", message, { code: `tar.${reason}` });
