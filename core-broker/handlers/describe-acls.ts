/** DescribeAcls (29), versions 1-3. Without an authorizer there are none to describe, and Kafka says so. */
import { ErrorCode } from "../protocol/errors.ts";
import { describeAcls, type DescribeAclsResponse } from "../protocol/messages/describe-acls.ts";
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { filterRefusal, findAcls } from "../controller/acls/alter-acls.ts";
import type { AclImage } from "../controller/image.ts";
import { requireOnCluster } from "./authorization.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler } from "./handler.ts";

export const NO_AUTHORIZER = { errorCode: ErrorCode.SECURITY_DISABLED, errorMessage: "No Authorizer is configured." } as const;
export const describeAclsHandler = ({ config, controller }: HandlerDeps): Handler =>
  handler(describeAcls, (context, request) => {
    if (!config.authorizes) return { ...NO_AUTHORIZER, resources: [] };
    requireOnCluster(context, AclOperation.DESCRIBE);
    const refusal = filterRefusal(request);
    if (refusal !== null) return { ...refusal, resources: [] };
    return { errorCode: ErrorCode.NONE, errorMessage: null, resources: byResource(findAcls(controller.image, request)) };
  });
function byResource(acls: readonly AclImage[]): DescribeAclsResponse["resources"] {
  const resources = new Map<string, DescribeAclsResponse["resources"][number]>();
  for (const { resourceType, resourceName, patternType, principal, host, operation, permissionType } of acls) {
    const key = `${resourceType}:${patternType}:${resourceName}`;
    let resource = resources.get(key);
    if (resource === undefined) resources.set(key, (resource = { resourceType, resourceName, patternType, acls: [] }));
    resource.acls.push({ principal, host, operation, permissionType });
  }
  return [...resources.values()];
}
