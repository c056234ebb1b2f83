/** DescribeUserScramCredentials (50), version 0: mechanisms and iterations, never the keys. No users named means all. */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { requireOnCluster } from "./authorization.ts";
import { ErrorCode } from "../protocol/errors.ts";
import {
  describeUserScramCredentials,
  type DescribeUserScramCredentialsResponse,
} from "../protocol/messages/describe-user-scram-credentials.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler } from "./handler.ts";

type Result = DescribeUserScramCredentialsResponse["results"][number];

export const describeUserScramCredentialsHandler = (deps: HandlerDeps): Handler =>
  handler(describeUserScramCredentials, (context, request) => {
    requireOnCluster(context, AclOperation.DESCRIBE);
    const known = new Map<string, Result["credentialInfos"]>();
    for (const { user, mechanism, iterations } of deps.controller.image.scram.values()) {
      known.set(user, [...(known.get(user) ?? []), { mechanism, iterations }]);
    }
    const named = request.users?.map(({ name }) => name) ?? [];
    const results = (named.length > 0 ? [...new Set(named)] : [...known.keys()]).map((user): Result => {
      if (named.filter((name) => name === user).length > 1) {
        const errorMessage = `Cannot describe SCRAM credentials for the same user twice in a single request: ${user}`;
        return { user, errorCode: ErrorCode.DUPLICATE_RESOURCE, errorMessage, credentialInfos: [] };
      }
      const credentialInfos = known.get(user);
      if (credentialInfos !== undefined) return { user, errorCode: ErrorCode.NONE, errorMessage: null, credentialInfos };
      const errorMessage = `Attempt to describe a user credential that does not exist: ${user}`;
      return { user, errorCode: ErrorCode.RESOURCE_NOT_FOUND, errorMessage, credentialInfos: [] };
    });
    return { errorCode: ErrorCode.NONE, errorMessage: null, results };
  });
