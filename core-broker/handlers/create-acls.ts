/** CreateAcls (30), versions 1-3: refused without an authorizer. */
import { createAcls } from "../protocol/messages/create-acls.ts";
import { NO_AUTHORIZER } from "./describe-acls.ts";
import { type Handler, handler } from "./handler.ts";

export const createAclsHandler = (): Handler =>
  handler(createAcls, (_context, request) => ({ results: request.creations.map(() => NO_AUTHORIZER) }));
