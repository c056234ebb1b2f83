import { expect, test } from "vitest";
import { createConfigResolver, restoreReferences } from "#connect/worker/config-resolver";
import { testCatalog } from "../../fakes/plugins.ts";

const worker = { "config.providers": "fixed", "config.providers.fixed.class": "Fixed", "config.providers.fixed.param.salt": "s:" };

test("references are resolved inside texts; unknown providers and client overrides keep theirs", async () => {
  const resolver = await createConfigResolver(testCatalog([]), worker);
  const raw = {
    password: "${fixed:/path:key}",
    url: "db://${fixed:user}@${fixed:a:host}/x",
    other: "${env:HOME}",
    "producer.override.sasl.jaas.config": "${fixed:/path:key}",
    plain: "$5 {x}",
  };
  const resolved = await resolver.resolve(raw);
  expect(resolved).toEqual({
    password: "s:/path/key",
    url: "db://s:/user@s:a/host/x",
    other: "${env:HOME}",
    "producer.override.sasl.jaas.config": "${fixed:/path:key}",
    plain: "$5 {x}",
  });
  expect(restoreReferences({ password: "s:/path/key", plain: "$5 {x}", task: "1" }, raw, resolved)).toEqual({
    password: "${fixed:/path:key}",
    plain: "$5 {x}",
    task: "1",
  });
});
test("a provider that does not exist stops the worker", async () => {
  await expect(createConfigResolver(testCatalog([]), { ...worker, "config.providers.fixed.class": "Nope" })).rejects.toThrow(
    "Class Nope could not be found",
  );
});
