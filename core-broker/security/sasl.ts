/** SASL of a listener from server.properties; `<mechanism>.` before a key makes it that mechanism's own. */
import { BrokerError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import type { Properties } from "../config.ts";
import { listItems } from "../controller/configs/config-key.ts";
import { type MetadataImage, scramKey } from "../controller/image.ts";
import { saslAuthenticator } from "../network/sasl/authenticator.ts";
import { SASL_MECHANISMS, type SaslListener, type SaslMechanism } from "../network/sasl/mechanism.ts";
import type { Authenticator, ListenerAddress } from "../network/types.ts";
import { jaasOptions, plainUsers } from "./jaas.ts";
import { invalid, numberOf, reader } from "./listener-settings.ts";
import { tokenValidator } from "./oauthbearer.ts";

export interface SaslDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly image: () => Pick<MetadataImage, "scram">;
}
/** Null for a listener without SASL. Throws BrokerError(INVALID_CONFIG), also when none of its mechanisms is ours. */
export function saslListener(properties: Properties, listener: ListenerAddress, deps: SaslDeps): SaslListener | null {
  if (!listener.protocol.startsWith("SASL")) return null;
  const read = reader(properties, listener.name);
  const wanted = listItems(read("sasl.enabled.mechanisms") ?? "GSSAPI");
  const mechanisms = SASL_MECHANISMS.filter((mechanism) => wanted.includes(mechanism));
  if (mechanisms.length === 0) {
    throw invalid("sasl.enabled.mechanisms", `${wanted.join(",")}: listener ${listener.name} needs one of ${SASL_MECHANISMS.join(", ")}`);
  }
  const jaas = (mechanism: SaslMechanism) =>
    jaasOptions(read(`${mechanism.toLowerCase()}.sasl.jaas.config`) ?? read("sasl.jaas.config") ?? "");
  const reauthMs = new Map(mechanisms.map((mechanism) => [mechanism, reauthOf(mechanism)]));
  function reauthOf(mechanism: SaslMechanism): number {
    const own = `${mechanism.toLowerCase()}.connections.max.reauth.ms`;
    return read(own) === undefined ? numberOf(read, "connections.max.reauth.ms", 0) : numberOf(read, own, 0);
  }
  return {
    mechanisms,
    plain: plainUsers(jaas("PLAIN")),
    scram: (user, mechanism) => deps.image().scram.get(scramKey(user, mechanism)),
    validateToken: mechanisms.includes("OAUTHBEARER") ? tokenValidator(read, jaas("OAUTHBEARER"), deps) : notOffered,
    reauthMsMax: (mechanism) => reauthMs.get(mechanism) ?? 0,
    failureDelayMs: numberOf(read, "connection.failed.authentication.delay.ms", 100),
    receiveBytesMax: numberOf(read, "sasl.server.max.receive.size", 524_288),
  };
}
const notOffered = (): never => {
  throw new BrokerError("INVALID_CONFIG", "OAUTHBEARER is not enabled on this listener");
};

export function authenticators(
  properties: Properties,
  listeners: readonly ListenerAddress[],
  deps: SaslDeps,
): (listener: ListenerAddress) => Authenticator | null {
  const settings = new Map(listeners.map((listener) => [listener.name, saslListener(properties, listener, deps)]));
  return ({ name }) => {
    const setting = settings.get(name) ?? null;
    return setting === null ? null : saslAuthenticator(setting, deps);
  };
}
