/** How a listener believes tokens: unsecured ones (Kafka's default, for tests), or those signed by a key of a JWKS. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { listItems } from "../controller/configs/config-key.ts";
import { jwksValidator } from "../network/sasl/jwks.ts";
import { unsecuredValidator } from "../network/sasl/jwt.ts";
import type { TokenValidator } from "../network/sasl/mechanism.ts";
import type { JaasOptions } from "./jaas.ts";
import { invalid, numberOf, type Read } from "./listener-settings.ts";

const PACKAGE = "org.apache.kafka.common.security.oauthbearer";
const HANDLER = "sasl.server.callback.handler.class";
const SECURED = new Set([`${PACKAGE}.OAuthBearerValidatorCallbackHandler`, `${PACKAGE}.secured.OAuthBearerValidatorCallbackHandler`]);
const UNSECURED = new Set([
  `${PACKAGE}.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler`,
  `${PACKAGE}.OAuthBearerUnsecuredValidatorCallbackHandler`,
]);
const READ_TIMEOUT_MS = 10_000;
const DOCUMENT_BYTES_MAX = 1 << 20;

export interface TokenDeps {
  readonly clock: Clock;
  readonly logger: Logger;
}
/**
 * Throws BrokerError(INVALID_CONFIG). With `sasl.oauthbearer.jwks.endpoint.url` unsecured tokens are never believed, also
 * when no callback handler is named: in Kafka the address alone changes nothing, which nobody can mean.
 */
export function tokenValidator(read: Read, options: JaasOptions, deps: TokenDeps): TokenValidator {
  const handler = read(`oauthbearer.${HANDLER}`) ?? read(HANDLER);
  if (handler !== undefined && !SECURED.has(handler) && !UNSECURED.has(handler)) {
    throw invalid(HANDLER, `${handler} is a Java class; here are ${[...SECURED, ...UNSECURED].join(", ")}`);
  }
  const url = read("sasl.oauthbearer.jwks.endpoint.url");
  const secured = handler === undefined ? url !== undefined : SECURED.has(handler);
  if (!secured) return unsecured(options, deps);
  if (url === undefined) throw invalid("sasl.oauthbearer.jwks.endpoint.url", "the address of the key set is missing");
  if (!/^(https?|file):\/\//.test(url)) throw invalid("sasl.oauthbearer.jwks.endpoint.url", `${url}: http, https or file expected`);
  const audiences = listItems(read("sasl.oauthbearer.expected.audience") ?? "");
  return jwksValidator({
    url,
    refreshMs: numberOf(read, "sasl.oauthbearer.jwks.endpoint.refresh.ms", 3_600_000),
    retryMs: numberOf(read, "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", 100),
    rules: {
      principalClaim: read("sasl.oauthbearer.sub.claim.name") ?? "sub",
      scopeClaim: read("sasl.oauthbearer.scope.claim.name") ?? "scope",
      requiredScope: [],
      clockSkewMs: 1000 * numberOf(read, "sasl.oauthbearer.clock.skew.seconds", 30),
      needsIssuedAt: true,
      audiences: audiences.length === 0 ? null : audiences,
      issuer: read("sasl.oauthbearer.expected.issuer") ?? null,
    },
    ...deps,
    read: document,
  });
}
function unsecured(options: JaasOptions, { clock, logger }: TokenDeps): TokenValidator {
  logger.warn("OAUTHBEARER believes unsecured tokens: for tests only; set sasl.oauthbearer.jwks.endpoint.url");
  const skew = options.get("unsecuredValidatorAllowableClockSkewMs") ?? "0";
  return unsecuredValidator(
    {
      principalClaim: options.get("unsecuredValidatorPrincipalClaimName") ?? "sub",
      scopeClaim: options.get("unsecuredValidatorScopeClaimName") ?? "scope",
      requiredScope: (options.get("unsecuredValidatorRequiredScope") ?? "").split(/\s+/).filter((word) => word !== ""),
      clockSkewMs: /^\d+$/.test(skew) ? Number(skew) : 0,
      needsIssuedAt: false,
      audiences: null,
      issuer: null,
    },
    () => clock.now(),
  );
}
async function document(url: string): Promise<string> {
  if (url.startsWith("file:")) return readFile(fileURLToPath(url), "utf8");
  const answer = await fetch(url, { signal: AbortSignal.timeout(READ_TIMEOUT_MS), headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(`HTTP status ${answer.status}`);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    if (bytes > DOCUMENT_BYTES_MAX) throw new Error(`more than ${DOCUMENT_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
