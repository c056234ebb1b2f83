import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { directoryConfigProvider } from "#plugins/config-providers/directory";
import { environmentConfigProvider } from "#plugins/config-providers/environment";
import { fileConfigProvider } from "#plugins/config-providers/file";
import { parseProperties } from "#plugins/config-providers/properties";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "providers-"));
  mkdirSync(join(root, "allowed"));
  writeFileSync(join(root, "allowed", "a.properties"), "user = ada\npassword=s3\\u0063ret\n");
  writeFileSync(join(root, "allowed", "token"), "abc\n");
  writeFileSync(join(root, "outside.properties"), "user=eve\n");
  symlinkSync(join(root, "outside.properties"), join(root, "allowed", "link.properties"));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});
test("a key of a properties file", async () => {
  const provider = fileConfigProvider.create({ "allowed.paths": join(root, "allowed") });
  expect(await provider.get(join(root, "allowed", "a.properties"), "password")).toBe("s3cret");
  await expect(provider.get(join(root, "allowed", "a.properties"), "none")).rejects.toThrow("There is no key none");
});
test("files outside the allowed roots stay closed, also through .. and links", async () => {
  const provider = fileConfigProvider.create({ "allowed.paths": join(root, "allowed") });
  for (const path of ["outside.properties", "allowed/../outside.properties", "allowed/link.properties"])
    await expect(provider.get(join(root, path), "user")).rejects.toThrow("not allowed");
});
test("a file of a directory", async () => {
  const provider = directoryConfigProvider.create({ "allowed.paths": root });
  expect(await provider.get(join(root, "allowed"), "token")).toBe("abc\n");
  await expect(provider.get(join(root, "allowed"), "../outside.properties")).rejects.toThrow("not the name of a file");
});
test("a variable of the environment", async () => {
  process.env["PROVIDER_TEST"] = "value";
  expect(await environmentConfigProvider.create({}).get("", "PROVIDER_TEST")).toBe("value");
  await expect(environmentConfigProvider.create({ "allowlist.pattern": "OTHER_.*" }).get("", "PROVIDER_TEST")).rejects.toThrow("allowlist");
  delete process.env["PROVIDER_TEST"];
});
test("properties text", () => {
  const text = "# comment\n! comment\na=1\nb: two words \nc\\ d = x\\\n    y\ne\\=f=g\nempty\n";
  expect(Object.fromEntries(parseProperties(text))).toEqual({ a: "1", b: "two words ", "c d": "xy", "e=f": "g", empty: "" });
});
