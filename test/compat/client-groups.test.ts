/** Groups against Apache Kafka, as it is and looking old. */
import { APACHE } from "./client-brokers.ts";
import { groupsSuite } from "./client-groups-suite.ts";

APACHE.forEach((kind, at) => groupsSuite(kind, 31310 + at * 20));
