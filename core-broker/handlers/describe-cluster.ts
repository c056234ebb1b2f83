/** DescribeCluster (60), versions 0-2. Endpoint type 1 are brokers; the controllers (2) are asked of a controller. */
import { ErrorCode } from "../protocol/errors.ts";
import { describeCluster } from "../protocol/messages/describe-cluster.ts";
import { clusterOperations } from "./authorization.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler } from "./handler.ts";

const BROKERS = 1;
export const describeClusterHandler = (deps: HandlerDeps): Handler =>
  handler(describeCluster, (context, request) => {
    if (request.endpointType !== BROKERS) {
      const known = request.endpointType === 2;
      return {
        errorCode: known ? ErrorCode.MISMATCHED_ENDPOINT_TYPE : ErrorCode.UNSUPPORTED_ENDPOINT_TYPE,
        errorMessage: `The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type ${known ? "CONTROLLER" : "UNKNOWN"}`,
        endpointType: BROKERS,
        clusterId: "",
      };
    }
    return {
      errorCode: ErrorCode.NONE,
      endpointType: BROKERS,
      clusterId: deps.clusterId,
      controllerId: deps.config.nodeId,
      brokers: deps.brokers(context.listener).map(({ nodeId, ...rest }) => ({ brokerId: nodeId, ...rest, isFenced: false })),
      clusterAuthorizedOperations: clusterOperations(context, request.includeClusterAuthorizedOperations),
    };
  });
