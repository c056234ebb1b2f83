/** `/`, `/health` and `/ready`. */
import type { Herder } from "../herder/types.ts";
import { type Answer, ok, type Route } from "./route.ts";

export interface Versions {
  /** The version of Kafka Connect that this one stands for; tools look at it. */
  readonly version: string;
  readonly commit: string;
}
export const rootRoutes = (herder: () => Herder | null, versions: Versions): readonly Route[] => [
  {
    method: "GET",
    path: "/",
    handle: () => ok({ ...versions, kafka_cluster_id: herder()?.clusterId() ?? null }),
  },
  { method: "GET", path: "/health", needs: "nobody", handle: () => started(herder(), "healthy") },
  { method: "GET", path: "/ready", needs: "nobody", handle: () => started(herder(), "ready") },
];
function started(herder: Herder | null, status: string): Answer {
  if (herder?.ready() !== true) return { status: 503, body: { status: "starting", message: "Worker is still starting up." } };
  return ok({ status, message: "Worker has completed startup and is ready to handle requests." });
}
