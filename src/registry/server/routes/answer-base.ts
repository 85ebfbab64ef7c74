import { jsonReply } from "../reply.ts";
import type { Handler } from "../route.ts";

/** `GET /v2/`: this is a registry, and the client may use it. */
export const answerBase: Handler = async () => jsonReply(200, {});
