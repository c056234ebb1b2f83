/** The same suites as in test/compat, against our own broker. */
import { OURS } from "../compat/client-brokers.ts";
import { groupsSuite } from "../compat/client-groups-suite.ts";
import { clientSuite } from "../compat/client-suite.ts";

clientSuite(OURS, 31350);
groupsSuite(OURS, 31352);
