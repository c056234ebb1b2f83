/** Looking at the file without following it: checks, how far the reader is behind its end, its first lines. */
import { access, constants, stat } from "node:fs/promises";
import { confine, fileRoots } from "#connect/api/confinement";
import type { SourceTask, SourceTaskContext, TaskConfig } from "#connect/api/connector";
import type { Check, Diagnosis } from "#connect/api/diagnosis";
import type { SourceRecord } from "#connect/api/record";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const noOffsets = { offsets: (partitions: readonly unknown[]) => Promise.resolve(partitions.map(() => null)) };

export function fileDiagnosis(task: (config: TaskConfig, context: SourceTaskContext) => SourceTask): Diagnosis {
  return {
    check: (config) => checkFile(config["file"] ?? ""),
    async position(config, offset) {
      const { size } = await stat(await confine(config["file"] ?? "", fileRoots(process.env)));
      const at = Number(offset?.["position"] ?? 0);
      return { position: String(at), head: String(size), behindBytes: Math.max(0, size - at), details: {} };
    },
    async *preview(config, limit, signal): AsyncIterable<readonly SourceRecord[]> {
      const reader = task(
        { ...config, "batch.size": String(limit) },
        { connectorName: "preview", taskId: 0, log: quiet, offsets: noOffsets, metrics: { gauge() {} }, signal, kafka: {} },
      );
      await reader.start();
      try {
        yield await reader.poll();
      } finally {
        await reader.stop();
      }
    },
  };
}
async function checkFile(file: string): Promise<readonly Check[]> {
  try {
    await access(await confine(file, fileRoots(process.env)), constants.R_OK);
    return [{ check: "file", ok: true, severity: "error", message: `${file} can be read` }];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const absent = error instanceof Error && "code" in error && error.code === "ENOENT";
    return [
      {
        check: "file",
        ok: false,
        severity: absent ? "warning" : "error",
        message: absent ? `${file} is not there yet` : message,
        nextStep: absent ? "The connector waits for it." : "Choose a file below file.connector.roots that this process may read.",
      },
    ];
  }
}
