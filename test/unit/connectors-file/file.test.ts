import { mkdir, mkdtemp, realpath, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { confine, fileRoots } from "#connect/api/confinement";
import { LineSplitter } from "#connectors/file/lines";
import { fileStreamSource } from "#connectors/file/source";

test("behind by what has been written in whole lines", async () => {
  const file = join(await mkdtemp(join(tmpdir(), "millrace-file-")), "in.txt");
  const doctor = await fileStreamSource.diagnosis?.();
  const behind = async (text: string, at: number): Promise<unknown> => {
    await writeFile(file, text);
    return (await doctor?.position?.({ file }, { position: at }, AbortSignal.timeout(5_000)))?.behindBytes;
  };
  expect([await behind("one\ntwo", 0), await behind("one\ntwo", 4), await behind("one\n", 4), await behind("", 9)]).toEqual([4, 0, 0, 0]);
  expect(await behind(`${"x".repeat(70_000)}\nrest`, 0)).toBe(70_001);
});
describe("lines", () => {
  const split = (chunks: readonly Buffer[], from = 0): [string, number][] => {
    const splitter = new LineSplitter(from);
    const found: [string, number][] = [];
    for (const chunk of chunks) {
      splitter.push(chunk);
      for (let line = splitter.shift(); line !== null; line = splitter.shift()) found.push([line.text, line.end]);
    }
    return found;
  };
  test("end at \\n, \\r\\n or \\r; positions are bytes; an unfinished line waits", () => {
    expect(split([Buffer.from("a\nä\r\nb\r\rc")], 100)).toEqual([
      ["a", 102],
      ["ä", 106],
      ["b", 108],
      ["", 109],
    ]);
    expect(split([Buffer.from("a\r"), Buffer.from("\nb\n")])).toEqual([
      ["a", 3],
      ["b", 5],
    ]);
  });
  test("do not depend on how the bytes were cut", () => {
    const texts = fc.array(fc.constantFrom("a", "ü", "\n", "\r", "\r\n", "€"), { maxLength: 40 });
    fc.assert(
      fc.property(texts, fc.array(fc.nat(20)), (parts, cuts) => {
        const whole = Buffer.from(`${parts.join("")}.`);
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) {
          chunks.push(whole.subarray(at, at + cut));
          at += cut;
        }
        chunks.push(whole.subarray(at));
        expect(split(chunks)).toEqual(split([whole]));
      }),
    );
  });
});

describe("file connectors stay inside their folders", () => {
  test("also through symlinks, and for files that do not exist yet", async () => {
    const top = await realpath(await mkdtemp(join(tmpdir(), "roots-")));
    const root = join(top, "root");
    await mkdir(root);
    await mkdir(join(top, "root2"));
    await writeFile(join(top, "secret"), "s");
    await symlink(top, join(root, "up"));
    await symlink(join(top, "secret"), join(root, "link"));
    expect(await confine(join(root, "new/file"), [root])).toBe(join(root, "new/file"));
    for (const outside of ["up/secret", "link", "../secret", "up/none", "../root2/x"]) {
      await expect(confine(join(root, outside), [root]), outside).rejects.toThrow("lies outside of the folders");
    }
    expect(await confine("/any/where", ["/"])).toBe("/any/where");
  });
  test("which the setting names, or are the working and the temporary folder", () => {
    expect(fileRoots({ MILLRACE_FILE_ROOTS: "/a, /b:/c" })).toEqual(["/a", "/b", "/c"]);
    expect(fileRoots({})).toEqual([process.cwd(), tmpdir()]);
  });
});

describe("offsets of the file source given through REST", () => {
  const alter = (partition: Record<string, string> | null, offset: Record<string, number | string> | null, file = "/f"): unknown =>
    fileStreamSource.alterOffsets?.({ file }, [{ partition, offset }]);
  test("are checked with Kafka's sentences", () => {
    expect(alter({ filename: "/f" }, { position: 3 })).toBe(true);
    expect(alter({ anything: "x" }, null)).toBe(true);
    expect(() => alter({ filename: "/f" }, { other: 3 })).toThrow("Offset objects should either be null or contain the key 'position'");
    expect(() => alter({ filename: "/f" }, { position: "3" })).toThrow("is expected to be a Long value");
    expect(() => alter({ filename: "/f" }, { position: -1 })).toThrow("should be a non-negative value");
    expect(() => alter({ name: "/f" }, { position: 1 })).toThrow("Partition objects should contain the key 'filename'");
    expect(() => alter(null, { position: 1 })).toThrow("Partition objects cannot be null");
    expect(() => alter({ filename: "/f" }, { position: 1 }, "")).toThrow("'file' configuration is unspecified");
  });
});
