/** Requests to other workers over https: they show this worker's certificate and trust `ssl.truststore`. */
import { request } from "node:https";
import { RestError } from "../herder/errors.ts";
import { requestWorker, type WorkerRequest } from "../herder/worker-client.ts";
import type { TlsMaterial } from "./tls.ts";

/** `tls` null: the worker has no https listener. http addresses go the plain way. */
export function workerRequest(tls: TlsMaterial | null): WorkerRequest {
  if (tls === null) return requestWorker;
  const { requestCert: _requestCert, rejectUnauthorized: _rejectUnauthorized, ...material } = tls;
  return (method, url, headers, body, timeoutMs) => {
    if (!url.startsWith("https:")) return requestWorker(method, url, headers, body, timeoutMs);
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<WorkerRequest>>>();
    const failed = (error: Error): void => reject(new RestError(500, `IO Error trying to forward REST request: ${error.message}`, error));
    const sent = request(
      url,
      {
        ...material,
        method,
        headers: { ...headers, ...(body === null ? {} : { "content-type": "application/json" }) },
        signal: AbortSignal.timeout(timeoutMs),
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", failed);
        answer.on("end", () =>
          resolve({
            status: answer.statusCode ?? 500,
            body: Buffer.concat(chunks).toString(),
            location: answer.headers.location ?? null,
          }),
        );
      },
    );
    sent.on("error", failed);
    sent.end(body ?? undefined);
    return promise;
  };
}
