import { invalidParameter } from "../../errors/platform-error.ts";

/** Refuses what cannot be a directory's name. Errors: InvalidParameter in runc's wording. */
export function checkContainerId(id: string): void {
  if (id === "") throw invalidParameter("container id cannot be empty");
  if (!isContainerId(id))
    throw invalidParameter(`invalid container ID format: ${JSON.stringify(id)}`, {
      hint: "an ID is made of letters, digits and the characters _ + - .",
    });
}

export const isContainerId = (name: string): boolean =>
  /^[A-Za-z0-9_+.-]{1,1024}$/.test(name) && name !== "." && name !== "..";
