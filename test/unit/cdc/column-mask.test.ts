import { expect, test } from "vitest";
import { columnMasks } from "#connectors/cdc/column-mask";
import { Settings } from "#connectors/cdc/settings";

test("column.truncate.to cuts text and bytes (recorded: VARBINARY and BLOB)", () => {
  const mask = columnMasks(new Settings({ "column.truncate.to.1.chars": ".*\\.v" }, []))("d", "t", "v");
  expect(mask?.parameters).toEqual({ truncateLength: "1" });
  expect(mask?.cutsTo).toBe(1);
  expect(["ab", "a", "", null, 12n].map((v) => mask?.apply(v, null))).toEqual(["a", "a", "", null, 12n]);
  expect(mask?.apply(Uint8Array.from([118, 98]), null)).toEqual(Uint8Array.from([118]));
});
