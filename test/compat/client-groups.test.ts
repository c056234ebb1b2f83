/** Groups against Apache Kafka, as it is and looking old. */
import { freePorts } from "../peers/ports.ts";
import { APACHE } from "./client-brokers.ts";
import { groupsSuite } from "./client-groups-suite.ts";

const [PORT = 0] = await freePorts(80);

APACHE.forEach((kind, at) => groupsSuite(kind, PORT + at * 20));
