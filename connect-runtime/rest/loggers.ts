/** `/admin/loggers` (KIP-495, KIP-976). */
import { badRequest, notFound } from "../herder/errors.ts";
import type { Herder } from "../herder/types.ts";
import { LogLevels } from "./log-levels.ts";
import { bodies, noContent, ok, param, type Route } from "./route.ts";

export const loggerRoutes = (herder: () => Herder, levels: LogLevels): readonly Route[] => [
  { method: "GET", path: "/admin/loggers", needs: "admin", handle: () => ok(levels.all()) },
  {
    method: "GET",
    path: "/admin/loggers/:logger",
    needs: "admin",
    handle: (r) => {
      const level = levels.get(param(r, "logger"));
      if (level === null) throw notFound(`Logger ${param(r, "logger")} not found.`);
      return ok(level);
    },
  },
  {
    method: "PUT",
    path: "/admin/loggers/:logger",
    needs: "admin",
    takesJson: true,
    handle: async (r) => {
      const { level } = (await bodies()).readLoggerLevel(r.body);
      if (level === undefined || level === null) throw badRequest("Desired 'level' parameter was not specified in request.");
      if (!LogLevels.isLevel(level)) throw notFound(`invalid log level '${level}'.`);
      if (r.query["scope"]?.[0]?.toLowerCase() !== "cluster") return ok(levels.set(param(r, "logger"), level));
      await herder().setClusterLogLevel(param(r, "logger"), level.toUpperCase());
      return noContent;
    },
  },
];
