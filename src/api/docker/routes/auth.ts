import type { ImageService } from "../../../engine/images/image-service.ts";
import { pickCredentials, registryDomain } from "../credentials.ts";
import { jsonBody } from "../json-body.ts";
import type { Route } from "../route.ts";

/** `POST /auth`: asks the registry whether it accepts the credentials; nothing is kept. engine-api, section 7. */
export const authRoute = (images: ImageService): Route => ({
  method: "POST",
  path: "/auth",
  handle: async (request, reply) => {
    const credentials = pickCredentials(await jsonBody(request));
    const identityToken = await images.login(
      registryDomain(credentials.serveraddress),
      credentials,
      request.signal,
    );
    reply.json(200, { Status: "Login Succeeded", IdentityToken: identityToken ?? "" });
  },
});
