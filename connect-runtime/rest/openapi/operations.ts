/** What each route does, takes and answers, in our own words (a data table). Kept beside the routes; a test compares both. */
import type { AnswerName } from "./answers.ts";
import type { bodySchemas } from "../bodies.ts";

type BodyName = keyof typeof bodySchemas;
export interface Operation {
  readonly id: string;
  readonly tag: "worker" | "connectors" | "tasks" | "offsets" | "plugins" | "diagnosis" | "dead letters" | "backfills" | "between workers";
  readonly summary: string;
  readonly detail?: string;
  readonly query?: Readonly<Record<string, Parameter>>;
  readonly body?: BodyName;
  /** Status to what it carries; null: no body. The errors that every route has are added. */
  readonly answers: Readonly<Record<number, readonly [text: string, answer: AnswerName | null]>>;
}
export interface Parameter {
  readonly text: string;
  readonly type: "boolean" | "string" | "integer" | "strings";
  readonly choices?: readonly string[];
}
const flag = (text: string): Parameter => ({ text, type: "boolean" });
const INFO = ["The connector", "ConnectorInfo"] as const;
const DONE = ["Done", null] as const;
const TAKEN = ["Accepted; it happens in the background", null] as const;
const NOT_RUNNING = ["Its task is not running", "Error"] as const;
const records: Parameter = { text: "How many records to show, 1 to 1,000", type: "integer" };

/** By `METHOD path`. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  "GET /": {
    id: "worker",
    tag: "worker",
    summary: "Version and Kafka cluster of this worker",
    answers: { 200: ["Version and cluster", "WorkerInfo"] },
  },
  "GET /health": {
    id: "health",
    tag: "worker",
    summary: "Whether the worker has started and takes requests",
    answers: { 200: ["Ready", "WorkerHealth"], 503: ["Not yet", "WorkerHealth"] },
  },
  "GET /ready": {
    id: "ready",
    tag: "worker",
    summary: "Whether the worker is a member of its group and has its work",
    answers: { 200: ["Ready", "WorkerHealth"], 503: ["Not yet", "WorkerHealth"] },
  },
  "GET /metrics": {
    id: "metrics",
    tag: "worker",
    summary: "Metrics of this worker, its tasks and their sources, in Prometheus' text form",
    query: { texts: { text: "Attributes too that are texts and change with every event", type: "boolean" } },
    answers: { 200: ["Metrics", null] },
  },
  "GET /openapi.json": {
    id: "openapi",
    tag: "worker",
    summary: "This description",
    answers: { 200: ["OpenAPI 3.1", "Object"] },
  },
  "GET /connectors": {
    id: "listConnectors",
    tag: "connectors",
    summary: "Names of all connectors",
    detail: "With `expand` an object by name, holding what was asked for.",
    query: { expand: { text: "What to add to each name", type: "strings", choices: ["info", "status"] } },
    answers: { 200: ["Names, or an object by name", "ConnectorNames"] },
  },
  "POST /connectors": {
    id: "createConnector",
    tag: "connectors",
    summary: "Create a connector",
    body: "CreateConnector",
    answers: { 201: INFO },
  },
  "GET /connectors/:name": { id: "getConnector", tag: "connectors", summary: "One connector", answers: { 200: INFO } },
  "DELETE /connectors/:name": {
    id: "deleteConnector",
    tag: "connectors",
    summary: "Delete a connector",
    detail:
      "`cleanup=plan` deletes nothing and answers what the connector would leave behind; `cleanup=true` deletes the connector and what the plan marks; a list of kinds (`slot,offsets,topics`) just those.",
    query: { cleanup: { text: "plan, true, or a list of kinds", type: "string" } },
    answers: { 204: DONE, 200: ["The plan, or what became of it", "CleanupPlan"] },
  },
  "GET /connectors/:name/config": {
    id: "getConfig",
    tag: "connectors",
    summary: "A connector's configuration",
    answers: { 200: ["Configuration, secrets masked", "Strings"] },
  },
  "PUT /connectors/:name/config": {
    id: "putConfig",
    tag: "connectors",
    summary: "Replace a connector's configuration, or create the connector",
    detail: "A value that is the mask of the present one leaves it as it is.",
    body: "ConnectorConfig",
    answers: { 200: INFO, 201: INFO },
  },
  "PATCH /connectors/:name/config": {
    id: "patchConfig",
    tag: "connectors",
    summary: "Change some settings",
    detail: "A null removes a setting.",
    body: "ConnectorConfig",
    answers: { 200: INFO },
  },
  "GET /connectors/:name/status": {
    id: "getStatus",
    tag: "connectors",
    summary: "State of a connector and its tasks",
    answers: { 200: ["Status", "ConnectorStatus"] },
  },
  "POST /connectors/:name/restart": {
    id: "restart",
    tag: "connectors",
    summary: "Restart a connector, with its tasks if asked to",
    query: { includeTasks: flag("Its tasks as well"), onlyFailed: flag("Only what has failed") },
    answers: { 202: ["Status, with what is restarting", "ConnectorStatus"], 204: DONE },
  },
  "PUT /connectors/:name/pause": { id: "pause", tag: "connectors", summary: "Pause; tasks keep their place", answers: { 202: TAKEN } },
  "PUT /connectors/:name/resume": { id: "resume", tag: "connectors", summary: "Go on after a pause or a stop", answers: { 202: TAKEN } },
  "PUT /connectors/:name/stop": { id: "stop", tag: "connectors", summary: "Stop; tasks are shut down", answers: { 204: DONE } },
  "GET /connectors/:name/tasks": {
    id: "listTasks",
    tag: "tasks",
    summary: "Tasks with their configurations",
    answers: { 200: ["Tasks, secrets masked", "Tasks"] },
  },
  "GET /connectors/:name/tasks/:task/status": {
    id: "getTaskStatus",
    tag: "tasks",
    summary: "State of a task",
    answers: { 200: ["Status", "TaskStatus"] },
  },
  "POST /connectors/:name/tasks/:task/restart": {
    id: "restartTask",
    tag: "tasks",
    summary: "Restart a task",
    answers: { 204: DONE },
  },
  "GET /connectors/:name/offsets": {
    id: "getOffsets",
    tag: "offsets",
    summary: "Where a connector stands",
    answers: { 200: ["Offsets by partition", "Offsets"] },
  },
  "PATCH /connectors/:name/offsets": {
    id: "alterOffsets",
    tag: "offsets",
    summary: "Change offsets of a stopped connector",
    body: "AlterOffsets",
    answers: { 200: ["What was done", "Message"] },
  },
  "DELETE /connectors/:name/offsets": {
    id: "resetOffsets",
    tag: "offsets",
    summary: "Forget the offsets of a stopped connector",
    answers: { 200: ["What was done", "Message"] },
  },
  "GET /connectors/:name/state": {
    id: "exportState",
    tag: "offsets",
    summary: "Offsets and configuration in one document, to be imported elsewhere",
    answers: { 200: ["The state, secrets masked", "ConnectorState"] },
  },
  "PUT /connectors/:name/state": {
    id: "importState",
    tag: "offsets",
    summary: "Take over the offsets of an exported state",
    detail: "The connector has to be stopped. Partitions that the document does not name are forgotten.",
    body: "ConnectorState",
    answers: { 200: ["What was done", "Message"] },
  },
  "POST /connectors/:name/rewind": {
    id: "rewind",
    tag: "offsets",
    summary: "Stop, go back, and go on",
    detail: "To the beginning, or to the given offsets. A connector that was not running stays stopped.",
    body: "Rewind",
    answers: { 200: ["What was done", "Message"] },
  },
  "GET /connectors/:name/backfills": {
    id: "listBackfills",
    tag: "backfills",
    summary: "What was asked for, oldest first",
    detail: "The last twenty that are over are kept.",
    answers: { 200: ["Backfills", "Backfills"], 409: NOT_RUNNING },
  },
  "POST /connectors/:name/backfills": {
    id: "startBackfill",
    tag: "backfills",
    summary: "Read tables of a running source once more",
    detail:
      "In chunks beside the stream (`incremental`), or with the stream stopped meanwhile (`blocking`). Needs no table for signals, but for incremental ones of SQL Server, and of MySQL without GTIDs. The request is durable when it is answered; it goes on after a restart.",
    body: "Backfill",
    answers: { 202: ["Taken", "Backfill"], 409: NOT_RUNNING },
  },
  "GET /connectors/:name/backfills/:id": {
    id: "getBackfill",
    tag: "backfills",
    summary: "What became of a backfill",
    answers: { 200: ["The backfill", "Backfill"], 409: NOT_RUNNING },
  },
  "PUT /connectors/:name/backfills/:id/pause": {
    id: "pauseBackfill",
    tag: "backfills",
    summary: "Pause a backfill; it keeps its place",
    answers: { 202: ["The backfill", "Backfill"], 409: NOT_RUNNING },
  },
  "PUT /connectors/:name/backfills/:id/resume": {
    id: "resumeBackfill",
    tag: "backfills",
    summary: "Go on with a paused backfill",
    answers: { 202: ["The backfill", "Backfill"], 409: NOT_RUNNING },
  },
  "PUT /connectors/:name/backfills/:id/stop": {
    id: "stopBackfill",
    tag: "backfills",
    summary: "Give a backfill up; what was read is sent",
    answers: { 202: ["The backfill", "Backfill"], 409: NOT_RUNNING },
  },
  "GET /connectors/:name/topics": {
    id: "getTopics",
    tag: "connectors",
    summary: "Topics that a connector has used",
    answers: { 200: ["Topics", "Topics"], 403: ["Topic tracking is off", "Error"] },
  },
  "PUT /connectors/:name/topics/reset": {
    id: "resetTopics",
    tag: "connectors",
    summary: "Forget the topics that a connector has used",
    answers: { 202: TAKEN, 403: ["Topic tracking is off", "Error"] },
  },
  "GET /connectors/:name/health": {
    id: "connectorHealth",
    tag: "diagnosis",
    summary: "Whether a connector gets on, and why not",
    detail: "Position against the head of the source or topic, age of the last progress, a verdict with its reasons.",
    query: { local: flag("Only the tasks of this worker") },
    answers: { 200: ["Health", "ConnectorHealth"] },
  },
  "GET /connectors/:name/check": {
    id: "checkConnector",
    tag: "diagnosis",
    summary: "Connect to the system behind a connector and check settings and rights",
    answers: { 200: ["Checks, with the SQL that mends what fails", "Checks"] },
  },
  "POST /check": {
    id: "checkConfig",
    tag: "diagnosis",
    summary: "The same for a configuration that was not posted yet",
    body: "ConnectorConfig",
    answers: { 200: ["Checks", "Checks"] },
  },
  "POST /connectors/:name/preview": {
    id: "previewConnector",
    tag: "diagnosis",
    summary: "Real records of a connector through its transforms and converters, written nowhere",
    query: { records },
    body: "Preview",
    answers: { 200: ["Records", "Preview"] },
  },
  "POST /preview": {
    id: "previewConfig",
    tag: "diagnosis",
    summary: "The same for a configuration that was not posted yet",
    query: { records },
    body: "Preview",
    answers: { 200: ["Records", "Preview"] },
  },
  "POST /transforms/try": {
    id: "tryTransforms",
    tag: "diagnosis",
    summary: "Records of your own through a chain of transforms, step by step",
    detail: "Keys and values as JSON; `{schema, payload}` carries a schema.",
    body: "TryTransforms",
    answers: { 200: ["The record after each step, or the error of a step", "TriedTransforms"] },
  },
  "GET /connectors/:name/dlq": {
    id: "listDeadLetters",
    tag: "dead letters",
    summary: "Records in a connector's dead-letter queue, with where and why they failed",
    query: {
      limit: records,
      partition: { text: "Only this partition", type: "integer" },
      from: { text: "First offset; absent: the oldest", type: "integer" },
    },
    answers: { 200: ["Records, oldest first", "DeadLetters"] },
  },
  "POST /connectors/:name/dlq/replay": {
    id: "replayDeadLetters",
    tag: "dead letters",
    summary: "Send records of the queue back to their topic, mended or as they are",
    body: "Replay",
    answers: { 200: ["How many were sent", "Replayed"] },
  },
  "GET /connector-plugins": {
    id: "listPlugins",
    tag: "plugins",
    summary: "Plugins of this worker",
    query: { connectorsOnly: flag("false: transforms, predicates and converters as well") },
    answers: { 200: ["Plugins", "Plugins"] },
  },
  "GET /connector-plugins/:plugin/config": {
    id: "getPluginConfig",
    tag: "plugins",
    summary: "Settings of a plugin",
    answers: { 200: ["Definitions", "Definitions"] },
  },
  "PUT /connector-plugins/:plugin/config/validate": {
    id: "validateConfig",
    tag: "plugins",
    summary: "Check a connector's configuration",
    query: { deep: flag("Connect as well and check rights; the answer gets `checks`") },
    body: "ConnectorConfig",
    answers: { 200: ["Definitions, values and errors", "Validation"] },
  },
  "GET /admin/loggers": {
    id: "listLoggers",
    tag: "worker",
    summary: "Loggers with their levels",
    answers: { 200: ["Levels", "LoggerLevels"] },
  },
  "GET /admin/loggers/:logger": {
    id: "getLogger",
    tag: "worker",
    summary: "One logger's level",
    answers: { 200: ["Level", "LoggerLevel"] },
  },
  "PUT /admin/loggers/:logger": {
    id: "setLogger",
    tag: "worker",
    summary: "Set a level, on this worker or on all",
    query: { scope: { text: "cluster: on all workers", type: "string", choices: ["worker", "cluster"] } },
    body: "LoggerLevel",
    answers: { 200: ["Names of the loggers that changed", "LoggerNames"], 204: DONE },
  },
  "POST /connectors/:name/tasks": {
    id: "putTasks",
    tag: "between workers",
    summary: "Task configurations from the worker that runs the connector; signed (KIP-507)",
    body: "TaskConfigs",
    answers: { 204: DONE, 403: ["Wrong signature", "Error"] },
  },
  "PUT /connectors/:name/fence": {
    id: "fence",
    tag: "between workers",
    summary: "Fence the producers of former tasks; signed (KIP-507, KIP-618)",
    answers: { 204: DONE, 403: ["Wrong signature", "Error"] },
  },
};
