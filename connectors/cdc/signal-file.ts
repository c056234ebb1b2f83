/** The file of signals: one JSON object a line, read and emptied. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

const BYTES_MAX = 1024 * 1024;

export class SignalFile {
  readonly #path: () => Promise<string>;
  /** Size at which the last line was found without its end; -1: it was whole. */
  #unfinishedAt = -1;

  /** `path`: resolved anew for each look, so that a link put in its place later is not followed out of the allowed folders. */
  constructor(path: () => Promise<string>) {
    this.#path = path;
  }
  /** The lines that were added since the last look; there is no file: none. Throws for what is no file of signals. */
  async take(): Promise<readonly string[]> {
    let file: FileHandle;
    try {
      file = await open(await this.#path(), constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
      throw error;
    }
    try {
      return await this.#takeFrom(file);
    } finally {
      await file.close();
    }
  }
  async #takeFrom(file: FileHandle): Promise<readonly string[]> {
    let text: Buffer = Buffer.alloc(0);
    // Emptied only when nothing was added while it was read.
    for (;;) {
      const stat = await file.stat();
      if (!stat.isFile()) throw new Error("it is not a regular file");
      if (stat.size > BYTES_MAX) throw new Error(`it has ${stat.size} bytes, more than ${BYTES_MAX}`);
      if (stat.size === text.length) break;
      const { buffer, bytesRead } = await file.read(Buffer.alloc(stat.size), 0, stat.size, 0);
      text = buffer.subarray(0, bytesRead);
    }
    if (text.length === 0) return [];
    // Somebody may be writing the last line: it is given until the next look.
    if (text[text.length - 1] !== 0x0a && this.#unfinishedAt !== text.length) {
      this.#unfinishedAt = text.length;
      return [];
    }
    this.#unfinishedAt = -1;
    await file.truncate(0);
    return text
      .toString("utf8")
      .split(/\r?\n/)
      .filter((line) => line.trim() !== "");
  }
}
