/**
 * Work for somebody who looks (preview, transforms tried, checks): in a thread of its own, which is ended when it takes too long
 * or too much memory, so that no connector and no transform can hold the worker.
 */
import { Worker as Thread } from "node:worker_threads";
import type { ClientConfig } from "#broker/client/types";
import type { Leftover } from "../api/diagnosis.ts";
import type { SourceOffset } from "../api/record.ts";
import { thirdPartyPlugins } from "../catalog/catalog.ts";
import { threadEnvironment } from "../worker/task-threads.ts";
import { badRequest, RestError } from "../herder/errors.ts";
import type { ConfigMap } from "../worker/types.ts";

export interface PreviewJob {
  readonly kind: "preview";
  readonly name: string;
  /** References resolved. */
  readonly config: ConfigMap;
  readonly worker: ConfigMap;
  readonly limit: number;
  /** For sinks: reads their topics, in no group. */
  readonly consumer: ClientConfig;
}
export interface TriedRecord {
  readonly topic: string;
  readonly partition?: number | null | undefined;
  readonly key?: unknown;
  readonly value?: unknown;
  readonly headers?: Readonly<Record<string, string | number | bigint | boolean | null>> | null | undefined;
  readonly timestamp?: number | null | undefined;
}
export interface TransformsJob {
  readonly kind: "transforms";
  readonly config: ConfigMap;
  readonly records: readonly TriedRecord[];
}
/** A question to the connector itself; it runs its own code, so it runs here as well. */
export interface DiagnosisJob {
  readonly kind: "diagnosis";
  readonly config: ConfigMap;
  readonly ask:
    | { readonly method: "check" }
    | { readonly method: "position"; readonly offset: SourceOffset | null }
    | { readonly method: "leftovers" }
    | { readonly method: "remove"; readonly leftover: Leftover };
}
export type Job = PreviewJob | TransformsJob | DiagnosisJob;
/** Bytes as text: parsed where they are JSON. */
export interface ShownRecord {
  readonly topic: string;
  readonly partition: number | null;
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp: number | null;
  readonly headers: readonly { readonly key: string; readonly value: unknown }[];
  readonly source_partition?: unknown;
  readonly source_offset?: unknown;
}
export type ShownStep = { readonly type: string; readonly record: unknown } | { readonly type: string; readonly error: string };
export type Previewed =
  | (ShownRecord & { readonly error?: never })
  | { readonly error: string; readonly stage: string; readonly class: string; readonly topic: string };
export interface PreviewAnswer {
  readonly records: readonly Previewed[];
  /** Records that a transform dropped. */
  readonly dropped: number;
}
export interface TriedAnswer {
  readonly records: readonly {
    readonly steps: readonly ShownStep[];
    readonly result: unknown;
    readonly dropped: boolean;
    readonly error: string | null;
  }[];
}
export type ThreadAnswer = { readonly ok: true; readonly answer: unknown } | { readonly ok: false; readonly message: string };

const TIMEOUT_MS = 30_000;
const MEMORY_MAX_MB = 256;

/** Throws RestError(400) with what the connector, a transform or a converter said; 500 when the thread dies. */
export async function inThread<T>(job: Job, worker: ConfigMap): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const thread = new Thread(new URL("./preview-thread.ts", import.meta.url), {
    workerData: { ...job, plugins: thirdPartyPlugins() },
    env: threadEnvironment(worker),
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MAX_MB },
  });
  const late = setTimeout(
    () =>
      reject(
        badRequest(`It took longer than ${TIMEOUT_MS} ms and was ended. Ask for fewer records, or look for a transform that does not end.`),
      ),
    TIMEOUT_MS,
  );
  // The thread answers a job with the job's type of answer.
  thread.on("message", (answer: ThreadAnswer) => (answer.ok ? resolve(answer.answer as T) : reject(badRequest(answer.message))));
  thread.on("error", (error: Error) => reject(new RestError(500, `The thread ended with ${error.message}`, error)));
  thread.on("exit", (code) => reject(new RestError(500, `The thread ended without an answer (${code})`)));
  try {
    return await promise;
  } finally {
    clearTimeout(late);
    await thread.terminate();
  }
}
