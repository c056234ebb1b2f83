/** `/connectors/NAME/tasks`, and what workers ask of each other there (KIP-507). */
import { notFound } from "../herder/errors.ts";
import { ALGORITHM_HEADER, SIGNATURE_HEADER } from "../herder/session.ts";
import type { Herder, RequestSignature } from "../herder/types.ts";
import type { TaskId } from "../worker/types.ts";
import { bodies, noContent, ok, param, type RestRequest, type Route } from "./route.ts";
import type { Secrets } from "./secrets.ts";

function taskOf(request: RestRequest): TaskId {
  const task = param(request, "task");
  if (!/^[+-]?\d{1,9}$/.test(task)) throw notFound("HTTP 404 Not Found");
  return { connector: param(request, "name"), task: Number(task) };
}
function signatureOf(request: RestRequest): RequestSignature | null {
  const signature = request.headers[SIGNATURE_HEADER.toLowerCase()];
  const algorithm = request.headers[ALGORITHM_HEADER.toLowerCase()];
  return signature === undefined || algorithm === undefined ? null : { signature, algorithm, body: request.body };
}
export const taskRoutes = (herder: () => Herder, secrets: Secrets): readonly Route[] => [
  { method: "GET", path: "/connectors/:name/tasks", handle: async (r) => ok(await secrets.tasks(herder().tasks(param(r, "name")))) },
  { method: "GET", path: "/connectors/:name/tasks/:task/status", handle: (r) => ok(herder().taskStatus(taskOf(r))) },
  {
    method: "POST",
    path: "/connectors/:name/tasks/:task/restart",
    forwards: true,
    needs: "operate",
    handle: async (r) => {
      await herder().restartTask(taskOf(r));
      return noContent;
    },
  },
  {
    method: "POST",
    path: "/connectors/:name/tasks",
    takesJson: true,
    forwards: true,
    needs: "workers",
    handle: async (r) => {
      await herder().putTaskConfigs(param(r, "name"), (await bodies()).readTaskConfigs(r.body), signatureOf(r));
      return noContent;
    },
  },
  {
    method: "PUT",
    path: "/connectors/:name/fence",
    forwards: true,
    needs: "workers",
    handle: async (r) => {
      await herder().fence(param(r, "name"), signatureOf(r));
      return noContent;
    },
  },
];
