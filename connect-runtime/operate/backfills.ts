/** Backfills: questions to the task that reads the database, wherever it runs. */
import type { Backfill, BackfillCommand } from "../api/backfill.ts";
import { conflict, ElsewhereError } from "../herder/errors.ts";
import type { OperationsOptions } from "./operations.ts";

type Options = Pick<OperationsOptions, "herder" | "worker" | "workerId" | "scheme">;

/** Throws RestError, ConnectError where the task refuses, ElsewhereError. */
export async function askedOf(
  { herder, worker, workerId, scheme }: Options,
  name: string,
  command: BackfillCommand,
): Promise<readonly Backfill[]> {
  const { connector, tasks } = herder.status(name);
  const [task] = tasks;
  if (task === undefined || (task.state !== "RUNNING" && task.state !== "PAUSED"))
    throw conflict(`Connector ${name} is ${task?.state ?? connector.state}: it can be asked for backfills while its task is running`);
  if (task.worker_id !== workerId) throw new ElsewhereError("Another worker has the task", `${scheme}://${task.worker_id}/`);
  // What tasks of source connectors answer, `SourceTask.backfill`.
  return (await worker.ask({ connector: name, task: task.id }, command)) as readonly Backfill[];
}
