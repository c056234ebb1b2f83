/** CPU seconds and resident memory of processes and their children, from /proc (Linux). */
import { readdirSync, readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";

const TICKS_PER_SECOND = 100;
const SAMPLE_MS = 200;

/** CPU seconds include those of children that have ended (a database's sessions). */
function stat(pid: number): { parent: number; cpuSeconds: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const ticks = fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0);
    return { parent: Number(fields[1]), cpuSeconds: ticks / TICKS_PER_SECOND };
  } catch {
    return null;
  }
}
function tree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    const s = Number.isInteger(pid) ? stat(pid) : null;
    if (s !== null) children.set(s.parent, [...(children.get(s.parent) ?? []), pid]);
  }
  const found: number[] = [];
  for (const todo = [root]; todo.length > 0; ) {
    const pid = todo.pop();
    if (pid === undefined || found.includes(pid)) continue;
    found.push(pid);
    todo.push(...(children.get(pid) ?? []));
  }
  return found;
}
/** The parent of a process; null where it cannot be seen (on another machine). */
export const parentOf = (pid: number): number | null => stat(pid)?.parent ?? null;
export const cpuSeconds = (root: number): number => tree(root).reduce((sum, pid) => sum + (stat(pid)?.cpuSeconds ?? 0), 0);
export function residentMiB(root: number): number {
  return tree(root).reduce((sum, pid) => {
    try {
      return sum + Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
    } catch {
      return sum;
    }
  }, 0);
}

export interface Sample {
  readonly cpuSeconds: number;
  readonly peakMiB: number;
}
/** Measures from now until the returned function is called. */
export function sample(root: number): () => Sample {
  const begun = cpuSeconds(root);
  let peakMiB = residentMiB(root);
  const timer = setInterval(() => {
    peakMiB = Math.max(peakMiB, residentMiB(root));
  }, SAMPLE_MS);
  return () => {
    clearInterval(timer);
    return { cpuSeconds: cpuSeconds(root) - begun, peakMiB: Math.max(peakMiB, residentMiB(root)) };
  };
}
export const machine = (): string =>
  `${cpus().length} cores (${cpus()[0]?.model ?? "?"}), load ${loadavg()
    .map((l) => l.toFixed(2))
    .join(" ")}`;
