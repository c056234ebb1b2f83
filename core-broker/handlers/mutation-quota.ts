/** The controller mutation quota of one request (KIP-599): newer versions are refused what does not fit, older ones wait afterwards. */
import type { HandlerDeps } from "./deps.ts";
import type { RequestContext } from "./handler.ts";

interface MutationQuota {
  readonly take: (partitions: number) => boolean;
  /** The longest wait that any of the changes cost. */
  readonly throttleMs: () => number;
}
export function mutationQuota({ quotas }: HandlerDeps, context: RequestContext, strictSince: number): MutationQuota {
  const strict = context.version >= strictSince;
  let longestMs = 0;
  return {
    take(partitions) {
      const throttleMs = quotas.mutate(context, partitions, strict);
      longestMs = Math.max(longestMs, throttleMs);
      return !strict || throttleMs === 0;
    },
    throttleMs: () => longestMs,
  };
}
