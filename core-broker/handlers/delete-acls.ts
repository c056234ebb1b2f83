/** DeleteAcls (31), versions 1-3: refused without an authorizer. */
import { deleteAcls } from "../protocol/messages/delete-acls.ts";
import { NO_AUTHORIZER } from "./describe-acls.ts";
import { type Handler, handler } from "./handler.ts";

export const deleteAclsHandler = (): Handler =>
  handler(deleteAcls, (_context, request) => ({ filterResults: request.filters.map(() => ({ ...NO_AUTHORIZER, matchingAcls: [] })) }));
