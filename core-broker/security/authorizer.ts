/** The authorizer from server.properties. */
import type { Logger } from "../base/logger.ts";
import type { Properties } from "../config.ts";
import { type Authorizer, standardAuthorizer } from "../controller/acls/authorizer.ts";
import { EVERY_RIGHT } from "../controller/acls/rights.ts";
import type { MetadataImage } from "../controller/image.ts";
import { invalid } from "./listener-settings.ts";

const STANDARD_AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer";

export const authorizes = (properties: Properties): boolean => (properties["authorizer.class.name"]?.trim() ?? "") !== "";

/** Throws BrokerError(INVALID_CONFIG) for an authorizer that is none of ours, and for super users that are no principals. */
export function authorizerOf(properties: Properties, image: () => MetadataImage, logger: Logger): Authorizer {
  if (!authorizes(properties)) return () => EVERY_RIGHT;
  const name = properties["authorizer.class.name"]?.trim() ?? "";
  if (name !== STANDARD_AUTHORIZER) throw invalid("authorizer.class.name", `${name}: the only authorizer here is ${STANDARD_AUTHORIZER}`);
  const superUsers = (properties["super.users"] ?? "")
    .split(";")
    .map((user) => user.trim())
    .filter((user) => user !== "");
  const bad = superUsers.find((user) => !/^[^:]+:/.test(user));
  if (bad !== undefined) throw invalid("super.users", `"${bad}" is not of the form User:name; several are separated by ;`);
  const allowWithoutAcl = properties["allow.everyone.if.no.acl.found"]?.trim().toLowerCase() === "true";
  return standardAuthorizer({ superUsers: new Set(superUsers), allowWithoutAcl, image, logger });
}
