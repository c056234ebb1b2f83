/** The handlers of all APIs but the coordinators'. */
import { apiVersionsHandler } from "./api-versions.ts";
import { createPartitionsHandler } from "./create-partitions.ts";
import { createTopicsHandler } from "./create-topics.ts";
import { deleteRecordsHandler } from "./delete-records.ts";
import { deleteTopicsHandler } from "./delete-topics.ts";
import type { HandlerDeps } from "./deps.ts";
import { describeClusterHandler } from "./describe-cluster.ts";
import { fetchHandler } from "./fetch.ts";
import type { Handler } from "./handler.ts";
import { listOffsetsHandler } from "./list-offsets.ts";
import { metadataHandler } from "./metadata.ts";
import { produceHandler } from "./produce.ts";

const HANDLERS = [
  produceHandler,
  fetchHandler,
  listOffsetsHandler,
  metadataHandler,
  createTopicsHandler,
  deleteTopicsHandler,
  deleteRecordsHandler,
  createPartitionsHandler,
  describeClusterHandler,
] as const;

/** By API key, with those of the coordinators among them; ApiVersions announces exactly these. */
export function brokerHandlers(deps: HandlerDeps, others: readonly Handler[]): ReadonlyMap<number, Handler> {
  const handlers = new Map<number, Handler>();
  for (const made of [...HANDLERS.map((make) => make(deps)), ...others]) handlers.set(made.api.key, made);
  const versions = apiVersionsHandler(deps, () => handlers.values());
  return handlers.set(versions.api.key, versions);
}
