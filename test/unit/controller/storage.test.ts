import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "#broker/base/clock";
import { silentLogger } from "#broker/base/logger";
import { type FormatOptions, formatStorage, newClusterId, storageInfo } from "#broker/cli/storage";
import { openController } from "#broker/controller/controller";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "storage-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const options = (given: Partial<FormatOptions> = {}): FormatOptions => ({
  clusterId: newClusterId(),
  ignoreFormatted: false,
  scram: [],
  features: [],
  standalone: false,
  ...given,
});

describe("data folders by hand", () => {
  test("are formatted once, with the cluster id given, all with the same one", () => {
    const [a, b] = [join(folder, "a"), join(folder, "b")];
    const properties = { "node.id": "4", "log.dirs": `${a},${b}` };
    expect(storageInfo(properties)).toEqual({
      text: `Found problems:\n  ${a} does not exist\n  ${b} does not exist\n\n`,
      problems: true,
    });
    const given = options();
    expect(formatStorage(properties, given)).toEqual([
      `Formatting metadata directory ${a} with metadata.version 4.1-IV1.`,
      `Formatting data directory ${b} with metadata.version 4.1-IV1.`,
    ]);
    const meta = readFileSync(join(a, "meta.properties"), "utf8");
    expect(meta).toMatch(new RegExp(`^#\nnode.id=4\ndirectory.id=[\\w-]{22}\nversion=1\ncluster.id=${given.clusterId}\n$`));
    expect(() => formatStorage(properties, given)).toThrow(`Log directory ${a} is already formatted. Use --ignore-formatted`);
    expect(formatStorage(properties, { ...given, ignoreFormatted: true })).toEqual(["All of the log directories are already formatted."]);
    expect(readFileSync(join(a, "meta.properties"), "utf8")).toBe(meta);
    expect(() => formatStorage(properties, options({ ignoreFormatted: true }))).toThrow(`${a} belongs to cluster ${given.clusterId}`);
    expect(existsSync(join(a, ".lock"))).toBe(false);
    const { text, problems } = storageInfo(properties);
    expect(problems).toBe(false);
    expect(text).toMatch(
      new RegExp(
        `^Found log directories:\n  ${a}\n  ${b}\n\nFound metadata: \\{cluster.id=${given.clusterId}, directory.id=[\\w-]{22}, node.id=4, version=1\\}\n\n$`,
      ),
    );
  });
  test("begin with SCRAM users and feature levels", () => {
    const properties = { "node.id": "1", "log.dirs": folder };
    formatStorage(
      properties,
      options({
        scram: ["SCRAM-SHA-256=[name=alice,password=secret]", 'SCRAM-SHA-512=[name=bob,iterations=8192,salt="bXlzYWx0",password="a,b"]'],
        features: ["transaction.version=1"],
        standalone: true,
      }),
    );
    const { controller } = openController({ dataDirectory: folder, clock: systemClock, logger: silentLogger });
    expect([...controller.image.scram.values()].map(({ user, mechanism, iterations }) => [user, mechanism, iterations])).toEqual([
      ["alice", 1, 4096],
      ["bob", 2, 8192],
    ]);
    expect(Object.fromEntries(controller.image.features)).toEqual({ "metadata.version": 27, "group.version": 1, "transaction.version": 1 });
    controller.close();
  });
  test.each([
    ["SCRAM-SHA-1=[name=a,password=b]", "The add-scram mechanism SCRAM-SHA-1 is not supported."],
    ["SCRAM-SHA-256=[password=b]", "You must supply 'name' to add-scram"],
    ["SCRAM-SHA-256=[name=a]", "You must supply one of 'password' or 'saltedpassword' to add-scram"],
    ["SCRAM-SHA-256=[name=a,password=b,iterations=5]", "The 'iterations' value must be >= 4096 for add-scram"],
  ])("%s is refused, and nothing formatted", (argument, message) => {
    expect(() => formatStorage({ "node.id": "1", "log.dirs": folder }, options({ scram: [argument] }))).toThrow(message);
    expect(existsSync(join(folder, "meta.properties"))).toBe(false);
  });
});
