import { notImplemented } from "../../../errors/platform-error.ts";
import { jsonBody } from "../json-body.ts";
import type { Route } from "../route.ts";

/** `POST /auth`: gantry does not ask registries about credentials yet, and does not say that it did. */
export const authRoute: Route = {
  method: "POST",
  path: "/auth",
  handle: async (request) => {
    const { serveraddress } = await jsonBody(request);
    const registry =
      typeof serveraddress === "string" && serveraddress !== "" ? serveraddress : "the registry";
    throw notImplemented(`checking credentials with ${registry} is not built into gantry yet`, {
      hint: "a pull sends the credentials that its client has stored",
    });
  },
};
