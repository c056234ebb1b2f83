/** Looking at the file without following it: checks, how far the reader is behind its end, its first lines. */
import { access, constants, open, stat } from "node:fs/promises";
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
      const at = Number(offset?.["position"] ?? 0);
      const { size, behindBytes } = await linesAfter(await confine(config["file"] ?? "", fileRoots(process.env)), at);
      return { position: String(at), head: String(size), behindBytes, details: {} };
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
const TAIL_BYTES_MAX = 64 * 1024;
/** A line that has not ended is not sent yet, so nothing waits for it. */
async function linesAfter(file: string, at: number): Promise<{ readonly size: number; readonly behindBytes: number }> {
  const stats = await stat(file);
  const { size } = stats;
  // A pipe would keep us waiting for a writer.
  if (!stats.isFile()) return { size, behindBytes: 0 };
  const handle = await open(file);
  try {
    const from = Math.max(at, size - TAIL_BYTES_MAX);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.max(0, size - from)), 0, null, from);
    const tail = buffer.subarray(0, bytesRead);
    const end = Math.max(tail.lastIndexOf(10), tail.lastIndexOf(13)) + 1;
    return { size, behindBytes: Math.max(0, end > 0 || from === at ? from + end - at : size - at) };
  } finally {
    await handle.close();
  }
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
