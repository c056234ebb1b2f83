/** DescribeAcls (29), versions 1-3. Without an authorizer there are none to describe, and Kafka says so. */
import { ErrorCode } from "../protocol/errors.ts";
import { describeAcls } from "../protocol/messages/describe-acls.ts";
import { type Handler, handler } from "./handler.ts";

export const NO_AUTHORIZER = { errorCode: ErrorCode.SECURITY_DISABLED, errorMessage: "No Authorizer is configured on the broker" } as const;
export const describeAclsHandler = (): Handler => handler(describeAcls, () => ({ ...NO_AUTHORIZER, resources: [] }));
