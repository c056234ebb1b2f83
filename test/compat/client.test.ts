/** The client against Apache Kafka, as it is and looking old. */
import { APACHE } from "./client-brokers.ts";
import { clientSuite } from "./client-suite.ts";

APACHE.forEach((kind, at) => clientSuite(kind, 31300 + at * 20));
