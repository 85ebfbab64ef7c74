import { invalidParameter } from "../../errors/platform-error.ts";

export const dockerfileError = (message: string) => invalidParameter(message, { code: "dockerfile.invalid" });
