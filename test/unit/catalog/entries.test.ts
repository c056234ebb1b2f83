import { expect, test } from "vitest";

const all = await import("#plugins/index");
const entries = await import("#plugins/entries");

/** Tasks load plugins one by one from a table; lists load them all. Both must tell the same. */
test.each(["transforms", "predicates", "converters", "headerConverters", "configProviders"] as const)(
  "the table of %s leads to the plugins of the list",
  async (kind) => {
    const listed: readonly { readonly name: string; readonly classes: readonly string[] }[] = all[kind];
    expect(entries[kind].map((e) => ({ name: e.name, classes: e.classes }))).toEqual(
      listed.map(({ name, classes }) => ({ name, classes })),
    );
    for (const [i, entry] of entries[kind].entries()) expect(await entry.load()).toBe(listed[i]);
  },
);
