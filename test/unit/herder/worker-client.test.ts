/** What another worker's answers mean for who asked it. */
import { expect, test } from "vitest";
import { internalRequest, type WorkerRequest } from "#connect/herder/worker-client";

const answering =
  (status: number, body: string): WorkerRequest =>
  () =>
    Promise.resolve({ status, body, location: null });
const asked = (status: number, body: string): Promise<void> =>
  internalRequest(answering(status, body), "PUT", "http://w:1/connectors/a/fence", "", null);

test("Connect's errors keep their status and message", async () => {
  await asked(200, "");
  await expect(asked(404, '{"error_code":404,"message":"Connector a not found in cluster"}')).rejects.toMatchObject({
    status: 404,
    message: "Connector a not found in cluster",
  });
});
test("answers of a server without Connect behind it are to be asked for again", async () => {
  for (const [status, body] of [
    [404, ""],
    [404, "<html>Not Found</html>"],
    [503, '{"status":"503","message":"Service Unavailable"}'],
  ] as const)
    await expect(asked(status, body)).rejects.toMatchObject({ status: 503 });
});
