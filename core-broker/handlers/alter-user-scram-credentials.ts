/** AlterUserScramCredentials (51), version 0. */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnCluster, NOT_ON_CLUSTER } from "./authorization.ts";
import { alterUserScramCredentials } from "../protocol/messages/alter-user-scram-credentials.ts";
import { alterScram } from "../controller/scram.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler } from "./handler.ts";

export const alterUserScramCredentialsHandler = (deps: HandlerDeps): Handler =>
  handler(alterUserScramCredentials, (context, request) => {
    const { deletions, upsertions } = request;
    if (!mayOnCluster(context, AclOperation.ALTER)) {
      const users = new Set([...deletions, ...upsertions].map(({ name }) => name));
      return { results: [...users].map((user) => ({ user, ...NOT_ON_CLUSTER })) };
    }
    return { results: deps.controller.commit(alterScram(deps.controller.image, deletions, upsertions)) };
  });
