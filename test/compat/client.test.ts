/** The client against Apache Kafka, as it is and looking old. */
import { freePorts } from "../peers/ports.ts";
import { APACHE } from "./client-brokers.ts";
import { clientSuite } from "./client-suite.ts";

const [PORT = 0] = await freePorts(80);

APACHE.forEach((kind, at) => clientSuite(kind, PORT + at * 20));
