/** `/` and `/health`. */
import type { Herder } from "../herder/types.ts";
import { ok, type Route } from "./route.ts";

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
  {
    method: "GET",
    path: "/health",
    handle: () => {
      if (herder()?.ready() !== true) return { status: 503, body: { status: "starting", message: "Worker is still starting up." } };
      return ok({ status: "healthy", message: "Worker has completed startup and is ready to handle requests." });
    },
  },
];
