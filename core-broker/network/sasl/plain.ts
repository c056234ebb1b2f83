/** SASL PLAIN (RFC 4616): authorization id, NUL, user, NUL, password. */
import { createHash, timingSafeEqual } from "node:crypto";
import { SaslFailure, type SaslServer } from "./mechanism.ts";

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

export function plainServer(users: ReadonlyMap<string, string>): SaslServer {
  let user: string | null = null;
  return {
    expiresMs: null,
    get user() {
      return user;
    },
    next(message) {
      const [authorization, name, password, ...more] = message.toString("utf8").split("\0");
      const malformed = authorization === undefined || !name || !password || more.length > 0;
      if (malformed) throw new SaslFailure("Authentication failed: Invalid SASL/PLAIN response");
      const known = users.get(name);
      // Compared also for an unknown user, so that the time says nothing.
      const right = timingSafeEqual(digest(password), digest(known ?? ""));
      if (known === undefined || !right) throw new SaslFailure("Authentication failed: Invalid username or password");
      if (authorization !== "" && authorization !== name) {
        throw new SaslFailure("Authentication failed: Client requested an authorization id that is different from username");
      }
      user = name;
      return Buffer.alloc(0);
    },
  };
}
