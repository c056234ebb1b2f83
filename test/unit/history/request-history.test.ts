/** What the oracle of concurrent requests rules out, and what it must not. */
import { expect, test } from "vitest";
import { RequestHistory } from "../../chaos/request-history.ts";

test("a request that began after another was answered comes after it", () => {
  const history = new RequestHistory("none");
  history.acknowledged(history.begin("a"));
  expect(history.possible).toEqual(["a"]);
  history.acknowledged(history.begin("b"));
  expect(history.possible).toEqual(["b"]);
});

test("three at once have no order, whichever is answered last", () => {
  const history = new RequestHistory("none");
  const three = ["a", "b", "c"].map((outcome) => history.begin(outcome));
  for (const request of three) history.acknowledged(request);
  expect(history.possible).toEqual(["a", "b", "c"]);
  // Nor do two that meet after three have met.
  const [d, e] = [history.begin("d"), history.begin("e")];
  history.acknowledged(e);
  history.acknowledged(d);
  expect(history.possible).toEqual(["d", "e"]);
});

test("a long request overlaps each of the short ones beside it, which have an order among themselves", () => {
  const history = new RequestHistory("none");
  const long = history.begin("long");
  history.acknowledged(history.begin("a"));
  history.acknowledged(history.begin("b"));
  expect(history.possible).toEqual(["long", "b"]);
  history.acknowledged(long);
  expect(history.possible).toEqual(["long", "b"]);
});

test("without a clear answer it stays possible; refused it never was", () => {
  const history = new RequestHistory("none");
  history.begin("unclear");
  history.refused(history.begin("refused"));
  expect(history.possible).toEqual(["none", "unclear"]);
  history.acknowledged(history.begin("a"));
  expect(history.possible).toEqual(["unclear", "a"]);
});
