/** kafka_network_requestmetrics_*: how many requests of each API and version came, how long they took, how large they were. */
import type { Exposition } from "./exposition.ts";
import { TimeHistogram } from "./time-histogram.ts";

/** One request, answered. */
export interface RequestObservation {
  readonly api: string;
  readonly version: number;
  readonly errorCode: number;
  readonly tookMs: number;
  readonly localMs: number;
  readonly throttleMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}
interface ApiMetrics {
  readonly versions: Map<number, number>;
  readonly errors: Map<number, number>;
  readonly total: TimeHistogram;
  readonly local: TimeHistogram;
  readonly remote: TimeHistogram;
  readonly throttle: TimeHistogram;
  requestBytes: number;
  responseBytes: number;
}
export class RequestMetrics {
  readonly #apis = new Map<string, ApiMetrics>();
  #busyMs = 0;
  /** Partitions of requests that were refused; counted by the handlers. */
  failedAppends = 0;
  failedReads = 0;
  rejectedBytes = 0;

  answered(request: RequestObservation): void {
    let api = this.#apis.get(request.api);
    if (api === undefined) this.#apis.set(request.api, (api = fresh()));
    api.versions.set(request.version, (api.versions.get(request.version) ?? 0) + 1);
    api.errors.set(request.errorCode, (api.errors.get(request.errorCode) ?? 0) + 1);
    api.total.record(request.tookMs);
    api.local.record(request.localMs);
    api.remote.record(Math.max(0, request.tookMs - request.localMs));
    if (request.throttleMs > 0) api.throttle.record(request.throttleMs);
    api.requestBytes += request.requestBytes;
    api.responseBytes += request.responseBytes;
    this.#busyMs += request.localMs;
  }
  write(out: Exposition, errorName: (code: number) => string): void {
    const name = (attribute: string): string => `kafka_network_requestmetrics_${attribute}`;
    for (const [request, api] of this.#apis) {
      for (const [version, count] of api.versions) {
        out.counter(name("requests_total"), "Requests answered.", count, { request, version });
      }
      for (const [code, count] of api.errors) {
        out.counter(name("errors_total"), "Requests by the error of their answer as a whole.", count, { request, error: errorName(code) });
      }
      const times = [
        ["totaltimems", "From the request's last byte to its answer, in ms.", api.total],
        ["localtimems", "Time on the broker's thread, in ms.", api.local],
        ["remotetimems", "Time spent waiting: for records, for others, for the disk; in ms.", api.remote],
        ["throttletimems", "Time that quotas asked the client to wait, in ms.", api.throttle],
      ] as const;
      for (const [attribute, help, histogram] of times)
        out.summary(name(attribute), help, histogram.quantiles(), histogram.count, { request });
      out.counter(name("requestbytes_total"), "Bytes of requests.", api.requestBytes, { request });
      out.counter(name("responsebytes_total"), "Bytes of answers.", api.responseBytes, { request });
    }
    out.counter("kafka_server_kafkarequesthandlerpool_requesthandlerbusyms_total", "Time in request handlers, in ms.", this.#busyMs);
  }
}
const fresh = (): ApiMetrics => ({
  versions: new Map(),
  errors: new Map(),
  total: new TimeHistogram(),
  local: new TimeHistogram(),
  remote: new TimeHistogram(),
  throttle: new TimeHistogram(),
  requestBytes: 0,
  responseBytes: 0,
});
