import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formatStorage, newClusterId, storageInfo } from "#broker/cli/storage";

test("folders are formatted once, with the cluster id given, all with the same one", () => {
  const folder = mkdtempSync(join(tmpdir(), "storage-"));
  try {
    const [a, b] = [join(folder, "a"), join(folder, "b")];
    const properties = { "node.id": "4", "log.dirs": `${a},${b}` };
    expect(storageInfo(properties)).toEqual([`${a}: not formatted`, `${b}: not formatted`]);
    const clusterId = newClusterId();
    expect(formatStorage(properties, { clusterId })).toEqual([a, b].map((path) => `Formatted ${path} for cluster ${clusterId}, node 4.`));
    const meta = readFileSync(join(a, "meta.properties"), "utf8");
    expect(meta).toMatch(new RegExp(`^#\nnode.id=4\ndirectory.id=[\\w-]{22}\nversion=1\ncluster.id=${clusterId}\n$`));
    expect(formatStorage(properties, { clusterId: null })).toEqual(
      [a, b].map((path) => `${path} was formatted already, for cluster ${clusterId}.`),
    );
    expect(readFileSync(join(a, "meta.properties"), "utf8")).toBe(meta);
    expect(() => formatStorage(properties, { clusterId: newClusterId() })).toThrow(`${a} belongs to cluster ${clusterId}`);
    expect(existsSync(join(a, ".lock"))).toBe(false);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
