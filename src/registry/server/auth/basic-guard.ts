import type { IncomingHttpHeaders } from "node:http";
import { errorReply, refusal } from "../registry-error.ts";
import type { Reply } from "../reply.ts";
import type { Access, Grant } from "./access.ts";
import type { AccessList } from "./access-list.ts";
import type { Guard } from "./guard.ts";
import type { BasicAuth } from "./htpasswd.ts";

/** RFC 7617. */
export const basicChallenge = { "WWW-Authenticate": 'Basic realm="gantry registry", charset="UTF-8"' };

/** Name and password with each request. */
export class BasicGuard implements Guard {
  constructor(
    private readonly auth: BasicAuth,
    private readonly list: AccessList,
  ) {}

  async admit({ authorization }: IncomingHttpHeaders): Promise<Grant | undefined> {
    const user = await this.auth.userOf(authorization);
    return user === undefined ? undefined : new UserGrant(user, this.list);
  }

  refuse(_headers: IncomingHttpHeaders, _required: readonly Access[], grant: Grant | undefined): Reply {
    if (grant) return errorReply(refusal("DENIED", "requested access to the resource is denied"));
    return errorReply(refusal("UNAUTHORIZED", "authentication required"), basicChallenge);
  }
}

class UserGrant implements Grant {
  constructor(
    private readonly user: string,
    private readonly list: AccessList,
  ) {}

  allows(access: Access): boolean {
    const { actions } = this.list.grant(this.user, access);
    return access.actions.every((action) => actions.includes(action));
  }
}
