import { expect, test } from "vitest";
import { isVisible, ReadOnlyWatermarks, visibilityOf } from "#connectors/postgres/read-only-watermarks";

test("visible is what had ended when the snapshot was taken, also when ids wrap around", () => {
  const v = visibilityOf("100:105:100,103");
  expect([99, 100, 101, 103, 104, 105, 106].map((x) => isVisible(v, x))).toEqual([true, false, true, false, true, false, false]);
  const wrapped = visibilityOf("4294967295:4294967300:4294967295,4294967298");
  expect([4294967294, 4294967295, 0, 2, 3, 4, 5].map((x) => isVisible(wrapped, x))).toEqual([true, false, true, false, true, false, false]);
});
test("a window opens when what was streamed is visible, and closes when its high position was passed", async () => {
  const closed: string[] = [];
  const marks = new ReadOnlyWatermarks((id) => closed.push(id));
  marks.transaction(103);
  const answers = ["100:105:103", "100:102:", "104:106:"];
  await marks.open(() => Promise.resolve(answers.shift() ?? ""));
  expect(answers).toEqual([]);
  marks.passed(99);
  marks.close(100, "a");
  expect(closed).toEqual([]);
  marks.passed(100);
  marks.passed(101);
  expect(closed).toEqual(["a"]);
});
