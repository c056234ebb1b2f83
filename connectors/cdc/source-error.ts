/** What stops a source: named by the Java class that the reference's trace begins with. */
import { ConnectError } from "#connect/api/errors";

export class SourceError extends ConnectError {
  /** The database's own code (SQLSTATE, error number) where the server refused something; else "". */
  readonly code: string;
  constructor(message: string, options: { javaClass?: string; cause?: unknown; code?: string; transient?: boolean } = {}) {
    super(message, {
      javaClass: options.javaClass ?? "org.apache.kafka.connect.errors.ConnectException",
      causeClass: options.transient === true ? "transient" : "config",
      cause: options.cause,
    });
    this.code = options.code ?? "";
  }
}
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
