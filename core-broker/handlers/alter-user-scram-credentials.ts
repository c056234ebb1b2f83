/** AlterUserScramCredentials (51), version 0. */
import { alterUserScramCredentials } from "../protocol/messages/alter-user-scram-credentials.ts";
import { alterScram } from "../controller/scram.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler } from "./handler.ts";

export const alterUserScramCredentialsHandler = (deps: HandlerDeps): Handler =>
  handler(alterUserScramCredentials, (_context, request) => ({
    results: deps.controller.commit(alterScram(deps.controller.image, request.deletions, request.upsertions)),
  }));
