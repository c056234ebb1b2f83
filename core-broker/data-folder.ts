/**
 * The data folders: made and formatted on first use, locked while a broker uses them, and told apart by meta.properties
 * (version, cluster.id, node.id, directory.id), the file that Kafka's own storage tool writes.
 */
import {
  accessSync,
  constants,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { BrokerError } from "./base/errors.ts";
import { randomUuid, type Random } from "./base/random.ts";

export interface DataFolder {
  readonly path: string;
  readonly clusterId: string;
  readonly directoryId: string;
  /** true: this start made it. */
  readonly formatted: boolean;
  unlock(): void;
}
export interface DataFolderOptions {
  /** Told of a folder that cannot be used; it is then left out. The first folder must be usable in any case. */
  readonly onFailure?: (path: string, error: BrokerError) => void;
  readonly paths: readonly string[];
  readonly nodeId: number;
  /** For a folder that is formatted now. */
  readonly clusterId: string | null;
  readonly random: Random;
}

/** Throws BrokerError: NO_ACCESS, NO_SPACE, DATA_LOCKED, CORRUPT_DATA, WRONG_CLUSTER. Nothing stays locked then. */
export function openDataFolders(options: DataFolderOptions): readonly DataFolder[] {
  const opened: DataFolder[] = [];
  try {
    let clusterId = options.clusterId;
    for (const [index, path] of options.paths.entries()) {
      const failure = folderFailure(path);
      if (failure !== null) {
        if (index === 0 || options.onFailure === undefined) throw failure;
        options.onFailure(path, failure);
        continue;
      }
      const unlock = lock(path);
      try {
        const folder = openOne(path, options, clusterId);
        if (clusterId !== null && folder.clusterId !== clusterId) {
          throw new BrokerError("WRONG_CLUSTER", `${path} belongs to cluster ${folder.clusterId}, not ${clusterId}`);
        }
        clusterId = folder.clusterId;
        opened.push({ ...folder, path, unlock });
      } catch (error) {
        unlock();
        throw error;
      }
    }
    return opened;
  } catch (error) {
    for (const folder of opened) folder.unlock();
    throw error instanceof BrokerError ? error : fromSystem(error, options.paths.join(", "));
  }
}
function folderFailure(path: string): BrokerError | null {
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return fromSystem(error, path);
  }
}
function fromSystem(error: unknown, path: string): BrokerError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const what = error instanceof Error ? error.message : String(error);
  if (code === "ENOSPC" || code === "EDQUOT") return new BrokerError("NO_SPACE", `No space left in data folder ${path}`, error);
  return new BrokerError("NO_ACCESS", `Data folder ${path} cannot be used: ${what}`, error);
}

/** The lock file names its holder, by process id and start; a holder that is gone (kill -9, reboot) is taken over. */
function lock(path: string): () => void {
  const file = join(path, ".lock");
  for (let attempt = 0; attempt < 3; attempt++) {
    if (createExclusively(file, `${process.pid} ${startOf(process.pid)}\n`)) return () => rmSync(file, { force: true });
    const holder = holderOf(file);
    if (holder !== null && isAlive(holder)) {
      throw new BrokerError("DATA_LOCKED", `Data folder ${path} is in use by process ${holder.pid}`);
    }
    rmSync(file, { force: true });
  }
  throw new BrokerError("DATA_LOCKED", `Data folder ${path} could not be locked`);
}
/** A hard link appears whole or not at all, so nobody ever reads a lock without its holder. */
function createExclusively(file: string, text: string): boolean {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, text);
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}
interface Holder {
  readonly pid: number;
  readonly start: string;
}
/** Null: the file went away, or is Kafka's own empty lock file. */
function holderOf(file: string): Holder | null {
  try {
    const match = /^(\d+) (\S*)/.exec(readFileSync(file, "utf8"));
    return match === null ? null : { pid: Number(match[1]), start: match[2] ?? "" };
  } catch {
    return null;
  }
}
/** Process ids come again (in a container always the same one): the start time tells two processes apart where /proc has it. */
function isAlive({ pid, start }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return false;
  }
  // A killed process that nobody has reaped yet still answers to its id, but holds nothing any more.
  if (/^[ZX]/.test(statOf(pid))) return false;
  return start === "" || startOf(pid) === start;
}
const startOf = (pid: number): string => statOf(pid).split(" ")[19] ?? "";
/** State, parent and so on of /proc/PID/stat, from what follows the command's name; "" where there is none. */
function statOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2);
  } catch {
    return "";
  }
}

type Identity = Pick<DataFolder, "clusterId" | "directoryId" | "formatted">;
function openOne(path: string, options: DataFolderOptions, clusterId: string | null): Identity {
  const file = join(path, "meta.properties");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    const made = { clusterId: clusterId ?? randomUuid(options.random), directoryId: randomUuid(options.random) };
    write(path, file, options.nodeId, made);
    return { ...made, formatted: true };
  }
  const meta = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*([^#!=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line);
    if (match !== null) meta.set(match[1] ?? "", match[2] ?? "");
  }
  const known = meta.get("cluster.id");
  const node = meta.get("node.id") ?? meta.get("broker.id");
  if (known === undefined || node === undefined || !["0", "1"].includes(meta.get("version") ?? "")) {
    throw new BrokerError("CORRUPT_DATA", `${file} is damaged: version, cluster.id and node.id are expected`);
  }
  if (Number(node) !== options.nodeId) {
    throw new BrokerError("WRONG_CLUSTER", `${path} belongs to node ${node}, this one is node ${options.nodeId}`);
  }
  const directoryId = meta.get("directory.id");
  if (directoryId !== undefined) return { clusterId: known, directoryId, formatted: false };
  const made = { clusterId: known, directoryId: randomUuid(options.random) };
  write(path, file, options.nodeId, made);
  return { ...made, formatted: false };
}
/** Written aside and renamed, so that a crash leaves the old file or the new one. */
function write(path: string, file: string, nodeId: number, identity: { clusterId: string; directoryId: string }): void {
  const lines = ["#", `node.id=${nodeId}`, `directory.id=${identity.directoryId}`, "version=1", `cluster.id=${identity.clusterId}`, ""];
  const descriptor = openSync(`${file}.tmp`, "w");
  writeSync(descriptor, lines.join("\n"));
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(`${file}.tmp`, file);
  const folder = openSync(path, "r");
  fsyncSync(folder);
  closeSync(folder);
}
