/** Backfills: questions to the task that reads the database, wherever it runs. */
import type { Backfill, BackfillCommand } from "../api/backfill.ts";
import { badRequest, conflict, ElsewhereError } from "../herder/errors.ts";
import type { OperationsOptions } from "./operations.ts";

type Options = Pick<OperationsOptions, "herder" | "worker" | "workerId" | "scheme">;

/**
 * The tasks of this worker are asked one after the other until one has an answer; only then another worker is. Throws RestError,
 * ConnectError where a task refuses, ElsewhereError.
 */
export async function askedOf(
  { herder, worker, workerId, scheme }: Options,
  name: string,
  command: BackfillCommand,
): Promise<readonly Backfill[]> {
  const { connector, tasks } = herder.status(name);
  const running = tasks.filter((t) => t.state === "RUNNING" || t.state === "PAUSED");
  const [first] = running;
  if (first === undefined)
    throw conflict(`Connector ${name} is ${tasks[0]?.state ?? connector.state}: it can be asked for backfills while its task is running`);
  const answers: Backfill[] = [];
  for (const task of running) {
    if (task.worker_id !== workerId) continue;
    // What tasks of source connectors answer, `SourceTask.backfill`.
    answers.push(...((await worker.ask({ connector: name, task: task.id }, command)) as readonly Backfill[]));
    if (answers.length > 0 && command.do !== "list") return answers;
  }
  const away = running.find((t) => t.worker_id !== workerId);
  if (away !== undefined && (command.do !== "list" || away === first))
    throw new ElsewhereError("Another worker has the task", `${scheme}://${away.worker_id}/`);
  if (command.do === "start" && answers.length === 0)
    throw badRequest(`No task of ${name} captures ${command.request.tables.map((t) => t.table).join(", ")}`);
  return answers;
}
