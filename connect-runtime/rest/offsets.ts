/** `/connectors/NAME/offsets` and `/connectors/NAME/topics`. */
import { badRequest, RestError } from "../herder/errors.ts";
import type { Herder } from "../herder/types.ts";
import { bodies, accepted, ok, param, type Route } from "./route.ts";

export interface TopicTracking {
  readonly enabled: boolean;
  readonly mayReset: boolean;
}
export const offsetRoutes = (herder: () => Herder): readonly Route[] => [
  {
    method: "GET",
    path: "/connectors/:name/offsets",
    handle: async (r) => ok({ offsets: await herder().offsets(param(r, "name")) }),
  },
  {
    method: "PATCH",
    path: "/connectors/:name/offsets",
    takesJson: true,
    forwards: true,
    handle: async (r) => {
      const offsets = (await bodies()).readAlterOffsets(r.body).offsets ?? [];
      if (offsets.length === 0) throw badRequest("Partitions / offsets need to be provided for an alter offsets request");
      const wanted = offsets.map(({ partition, offset }) => ({ partition: partition ?? null, offset: offset ?? null }));
      return ok({ message: await herder().alterOffsets(param(r, "name"), wanted) });
    },
  },
  {
    method: "DELETE",
    path: "/connectors/:name/offsets",
    forwards: true,
    handle: async (r) => ok({ message: await herder().alterOffsets(param(r, "name"), null) }),
  },
];
export const topicRoutes = (herder: () => Herder, tracking: TopicTracking): readonly Route[] => [
  {
    method: "GET",
    path: "/connectors/:name/topics",
    handle: (r) => {
      if (!tracking.enabled) throw new RestError(403, "Topic tracking is disabled.");
      const name = param(r, "name");
      return ok({ [name]: { topics: herder().topics(name) } });
    },
  },
  {
    method: "PUT",
    path: "/connectors/:name/topics/reset",
    handle: (r) => {
      if (!tracking.enabled) throw new RestError(403, "Topic tracking is disabled.");
      if (!tracking.mayReset) throw new RestError(403, "Topic tracking reset is disabled.");
      herder().resetTopics(param(r, "name"));
      return accepted;
    },
  },
];
