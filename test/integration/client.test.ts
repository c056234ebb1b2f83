/** The same suites as in test/compat, against our own broker. */
import { OURS } from "../compat/client-brokers.ts";
import { groupsSuite } from "../compat/client-groups-suite.ts";
import { clientSuite } from "../compat/client-suite.ts";
import { freePorts } from "../peers/ports.ts";

const [PORT = 0] = await freePorts(10);

clientSuite(OURS, PORT);
groupsSuite(OURS, PORT + 2);
