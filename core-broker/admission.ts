/** What bounds clients: their quotas, and how fast connections may come. */
import type { Clock } from "./base/clock.ts";
import { type BrokerConfig, connectionRateMax, quotaWindows } from "./config.ts";
import type { EffectiveConfig } from "./controller/configs/effective.ts";
import type { Controller } from "./controller/controller.ts";
import { ResourceType } from "./controller/image.ts";
import { ClientQuotas } from "./quota/client-quotas.ts";
import { ConnectionRate } from "./quota/connection-rate.ts";

export interface Admission {
  readonly quotas: ClientQuotas;
  readonly connections: ConnectionRate;
}
export function makeAdmission(config: BrokerConfig, clock: Clock, controller: Controller, effective: EffectiveConfig): Admission {
  const windows = quotaWindows(config.properties, "quota");
  let properties = effective.brokerProperties();
  controller.onChange(({ configs }) => {
    if (configs.some(({ resourceType }) => resourceType === ResourceType.BROKER)) properties = effective.brokerProperties();
  });
  return {
    quotas: new ClientQuotas({
      clock,
      image: () => controller.image,
      windows,
      mutationWindows: quotaWindows(config.properties, "controller.quota"),
    }),
    connections: new ConnectionRate({
      clock,
      windows,
      quotas: () => controller.image.quotas,
      rateMax: (listener) => connectionRateMax(properties, listener),
    }),
  };
}
