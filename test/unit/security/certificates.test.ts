import { describe, expect, test } from "vitest";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { subjectOf } from "#broker/network/distinguished-name";
import { jaasOptions, plainUsers } from "#broker/security/jaas";
import { jksCertificates, jksKey } from "#broker/base/key-store/jks";
import { readPkcs12 } from "#broker/base/key-store/pkcs12";
import { principalMapper } from "#broker/security/principal-mapping";
import { tlsOptions } from "#broker/security/tls";

/** Self-signed by OpenSSL 3; the expected names are what Java's X500Principal.getName() gives for them. */
const SPECIAL =
  "MIICJDCCAcugAwIBAgIUCLPgphLqwEnwAne37thH4S+qIVAwCgYIKoZIzj0EAwIwZzELMAkGA1UEBhMCREUxGTAXBgNVBAoMEEEsIEI7IngiXHk8ej49I3ExFTATBgNVBAsMDCBsZWFkIHRyYWlsIDEQMA4GA1UEAwwHY2zDr2VudDEUMBIGCSqGSIb3DQEJARYFYUBiLmMwIBcNMjYxMTIyMDIyMDQ2WhgPMjEyNjEwMjkwMjIwNDZaMGcxCzAJBgNVBAYTAkRFMRkwFwYDVQQKDBBBLCBCOyJ4Ilx5PHo+PSNxMRUwEwYDVQQLDAwgbGVhZCB0cmFpbCAxEDAOBgNVBAMMB2Nsw69lbnQxFDASBgkqhkiG9w0BCQEWBWFAYi5jMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEmomh5IYJ817gEn76Xm/HMSZ4HOc37TxO2oavRhKmJCJhpsbETMixRpPybXgtO+Ode9vsS7Y2CMqUUSmmoYDm1qNTMFEwHQYDVR0OBBYEFN8xoKAU7BAv2RYKMN/zzS/B9g6tMB8GA1UdIwQYMBaAFN8xoKAU7BAv2RYKMN/zzS/B9g6tMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgEHLDR0FR4CJlluwiKytLz5FQQCl9uSG9rn+NWctoJCkCIAROYIygKnjECHAMNoNx4bty3PiMbf/wRUWoWbgWj+72";
const SEVERAL =
  "MIIChjCCAi2gAwIBAgIUX+Lw21IddUqxH3TFdzMQzBkdSWswCgYIKoZIzj0EAwIwgZcxEzARBgoJkiaJk/IsZAEZFgNvcmcxFDASBgoJkiaJk/IsZAEZFgRhY21lMQowCAYDVQQLDAFhMQowCAYDVQQLDAFiMRIwEAYKCZImiZPyLGQBAQwCdTExCzAJBgNVBAUTAjEyMQowCAYDVQQHDAFNMQswCQYDVQQJDAJTMTEYMAgGA1UECwwBejAMBgNVBAMMBSN4ICB5MCAXDTI2MTEyMjAyMjA0NloYDzIxMjYxMDI5MDIyMDQ2WjCBlzETMBEGCgmSJomT8ixkARkWA29yZzEUMBIGCgmSJomT8ixkARkWBGFjbWUxCjAIBgNVBAsMAWExCjAIBgNVBAsMAWIxEjAQBgoJkiaJk/IsZAEBDAJ1MTELMAkGA1UEBRMCMTIxCjAIBgNVBAcMAU0xCzAJBgNVBAkMAlMxMRgwCAYDVQQLDAF6MAwGA1UEAwwFI3ggIHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASXAAi4X5MqK/+RBL2yGPSdeBpMisTrTGEz6BzrYBLSzWh8XdzPepon9ycvcafa02VJspuXsUw3jfL0Krcc8bTho1MwUTAdBgNVHQ4EFgQU+pvPiycYbOcDEgAISb1J5UaOe7wwHwYDVR0jBBgwFoAU+pvPiycYbOcDEgAISb1J5UaOe7wwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiBTry9g/Mfupvpxu29fTM9stchN5P/Rki58Q0sWKqs+2AIgRSianAa0ojYCT2RbKFr8ZOAe6xamcUyRFvnqzz0hQXA=";
/** keytool -importcert -storetype PKCS12 (Java 17), password changeit. */
const TRUST_STORE =
  "MIIEYgIBAzCCBAwGCSqGSIb3DQEHAaCCA/0EggP5MIID9TCCA/EGCSqGSIb3DQEHBqCCA+IwggPeAgEAMIID1wYJKoZIhvcNAQcBMGYGCSqGSIb3DQEFDTBZMDgGCSqGSIb3DQEFDDArBBRuw4WbpQNi5hMWs/PuZmea+SqhCgICJxACASAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEJpTQz9u8FYBtOn2Wm6UfdKAggNgRxVVCge+/vAj+hrDaQLCDavyucrZAQ1p0IodjmaLBpFWwwambHXJ1YGZ+5ls1sUrWn/ExZ+2Zr5beb+HR35FNOU/kTlX2C5zIlZ2SbZr69eEeomz978NkPNcDX9cyQzxQAtV/eCI+SESPK3B3+HBRJa9Qx2t23/PpDsuvRRYXmKdvBc22uJVRRpHdKfwg0i4Eo+2mlG6t/A0X9GAEDCNAUjSzJv9EnNmVKyADbKZDUDmIqe/O05FRBFWWcisEl7UXYu4DGAQDbSqK0ElWeTpjnA7FcwuSKwMzyIT7sgtBjwf99b+sVL/fomIeHwX383z4rblRt+KqCq4+W9AxqcTH5K1xhqxnLSiauxOBEtLe18dOJXVMgh75MH9M6JsCt6uILXJ5NQnOoJPr6RXQegfsVV6fSRxa6waYvWOHXHZ6T2uY56vIFaY9/NkKDW5HCrvjiy1A1ifbR6T/Qg+7IPZMSBqDdoSLDqK2iGHM9krwBQr578c+g8OwGOB0bxacBzkygYVdEcbBJqvYGCuo9OLjXJroFoWEURzPQUrA0MA7KvlrUwQVbTumHNOKGb6Ijgs0PyYFZpDB6WB36/VtozENZHgZ0ZchN4uvKpBAfsPi1keT8WBrjFE7FCdqO7Gb/fBDGSzWWnyFeYdgLdntef1nh5pZWDrXUI3+PGuN50waPFwk0s07emhYvKcGlsYb48sLVfnmTEyGfW9MGUgp/OJb3JPrVP2j27dByBcej0w1U+Jex12UO18pZbXq0lTmY6JpiTWiwZDgZopu7Fq5HF+RJhZtMSLzmBFnE0lcdyOfNKDGUCjZh+jnI6L9UndkMXV0QlNomWQs+xwkZoBf3Q9WOAs5zuYqZpFssTu6m0oPQH6zVaSYA+YMaxMe9DjJv6Bbjmyep3RFNdPqlNc+qNrEp3qnBrVRbnJKb4xLspFR89Ob4M3N9iFYeC/cMK+QYoEOGrKx4cEcK4BZGhaQHZjJ6+CwvdLCkjV87E5dA/gomf1UInGALXGfM4QZy+9Kvy9or/2Z00LbYOjOP8wEEdPL4OV6W7LTz6YDWkPLZwhInPY6O2BTOnO6E1Um20eZLRk/1BpNYBhDt/wN9IFSkZRpWF6MxeDWGbSKarrmoMMYXvZRdMS+aJmyTS5KYNoNBXHME0wMTANBglghkgBZQMEAgEFAAQgjGJfqqD2QBRBjuW4m7NIWXlCoNPy4IhP+Pqfq1d5w5MEFM4JWHXSsXPKNpAq4dvze+BqXLKLAgInEA==";
const subject = (der: string): string => subjectOf(new X509Certificate(Buffer.from(der, "base64")).raw);

describe("names of certificates", () => {
  test("as Java writes them", () => {
    expect(subject(SPECIAL)).toBe(
      String.raw`1.2.840.113549.1.9.1=#16056140622e63,CN=clïent,OU=\ lead trail\ ,O=A\, B\;\"x\"\\y\<z\>\=\#q,C=DE`,
    );
    expect(subject(SEVERAL)).toBe(String.raw`OU=z+CN=\#x  y,STREET=S1,L=M,2.5.4.5=#13023132,UID=u1,OU=b,OU=a,DC=acme,DC=org`);
  });
  test("every cut of a certificate is refused, none crashes or hangs", () => {
    const der = Buffer.from(SPECIAL, "base64");
    for (let length = 0; length < der.length; length += 7) expect(() => subjectOf(der.subarray(0, length))).toThrow();
  });
  test("mapping rules: the first that fits", () => {
    const map = principalMapper(String.raw`RULE:^CN=(.*?),OU=Ops.*$/$1@ops/L, RULE:^CN=([^,]*),.*$/$1/U ,DEFAULT`);
    expect(map("CN=Ann,OU=Ops,O=x")).toBe("ann@ops");
    expect(map("CN=Bob,OU=Dev")).toBe("BOB");
    expect(map("O=x")).toBe("O=x");
    expect(() => principalMapper("RULE:^CN=(.*)$/$1/")("O=x")).toThrow(/no rule/);
    expect(() => principalMapper("RULE:a")).toThrow(/ssl.principal.mapping.rules/);
    expect(() => principalMapper("RULE:(/x/")).toThrow(/regular expression/);
  });
});

describe("stores", () => {
  test("certificates of a trust store that keytool wrote", () => {
    const [pem, ...more] = readPkcs12(Buffer.from(TRUST_STORE, "base64"), "changeit").certificates;
    expect([new X509Certificate(pem ?? "").subject, more.length]).toEqual(["CN=ca", 0]);
    expect(() => readPkcs12(Buffer.from(TRUST_STORE, "base64"), "wrong")).toThrow(/password/);
    expect(() => readPkcs12(Buffer.from("no"), "")).toThrow();
  });
  test("what a listener with TLS cannot start with is told by the setting's name", () => {
    const listener = { name: "SSL", host: "", port: 0, protocol: "SSL" } as const;
    expect(() => tlsOptions({}, listener)).toThrow(/ssl.keystore.location/);
    expect(() => tlsOptions({ "ssl.enabled.protocols": "TLSv1.1" }, listener)).toThrow(/ssl.enabled.protocols/);
    const inline = { "ssl.keystore.key": "k", "ssl.keystore.certificate.chain": "c\\nd" };
    expect(tlsOptions({ ...inline, "ssl.client.auth": "required" }, listener)).toMatchObject({
      cert: "c\nd",
      minVersion: "TLSv1.2",
      maxVersion: "TLSv1.3",
      requestCert: true,
      rejectUnauthorized: true,
    });
    // With SASL a listener asks for certificates only where its own setting says so.
    const sasl = { ...listener, name: "SEC", protocol: "SASL_SSL" } as const;
    expect(tlsOptions({ ...inline, "ssl.client.auth": "required" }, sasl)).toMatchObject({ requestCert: false });
    expect(tlsOptions({ ...inline, "listener.name.sec.ssl.client.auth": "requested" }, sasl)).toMatchObject({
      requestCert: true,
      rejectUnauthorized: false,
    });
  });
});

test("users of a JAAS line, with quotes, escapes and other options", () => {
  const line = String.raw`org.x.PlainLoginModule required username="admin" user_alice="a;\"b" user_bob=plain;`;
  expect([...plainUsers(jaasOptions(line))]).toEqual([
    ["alice", 'a;"b'],
    ["bob", "plain"],
  ]);
});

/** keytool -storetype JKS (Java 17): CN=jks-server, store password changeit, key password secret7; and its certificate as a trusted one. */
const JKS_KEY_STORE =
  "/u3+7QAAAAIAAAABAAAAAQABcwAAAaICAGasAAAAfzB9MA4GCisGAQQBKgIRAQEFAARriKMX16UBO3BqpE4JxA3nF6KeajlHk2YIWiW3P2YqWTiM0cdYwPhwtrVr+P3e0iqxwGQXETQO1uTXAOgZhkjZDiRszqQo1LNlpur8jNcGRL9alr5Hhr9MMtZWzx6SfljZtTVmJdl/wBl4UOwAAAABAAVYLjUwOQAAAUcwggFDMIHqoAMCAQICCQDlz94jzBZF5DAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpqa3Mtc2VydmVyMCAXDTI2MTEyMjA2NDUxMFoYDzIxMjYxMDI5MDY0NTEwWjAVMRMwEQYDVQQDEwpqa3Mtc2VydmVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8JSFUqB1tcisBjcgwDPBatBsGRgngVBXz7o/qjukVIUsma6CcXyBvvEJKyTMvlAzj+0/V8jW+dlcP4SNAPQXO6MhMB8wHQYDVR0OBBYEFHIjxcxw91C7ZZxTF2xbnccfvvc2MAoGCCqGSM49BAMCA0gAMEUCIHYuXF47oOCta+tYG6D8Ecrszi6znrEFpGNdsJeHy4EiAiEA/1FU6KSH48kyjc5Pkgg1ZHMrERHcvFBgpMXDU4U+cCL/eDnghjrN25212TF+hPtY0zBoGg==";
const JKS_TRUST_STORE =
  "/u3+7QAAAAIAAAABAAAAAgACY2EAAAGiAgDDpAAFWC41MDkAAAFHMIIBQzCB6qADAgECAgkA5c/eI8wWReQwCgYIKoZIzj0EAwIwFTETMBEGA1UEAxMKamtzLXNlcnZlcjAgFw0yNjExMjIwNjQ1MTBaGA8yMTI2MTAyOTA2NDUxMFowFTETMBEGA1UEAxMKamtzLXNlcnZlcjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPCUhVKgdbXIrAY3IMAzwWrQbBkYJ4FQV8+6P6o7pFSFLJmugnF8gb7xCSskzL5QM4/tP1fI1vnZXD+EjQD0FzujITAfMB0GA1UdDgQWBBRyI8XMcPdQu2WcUxdsW53HH773NjAKBggqhkjOPQQDAgNIADBFAiB2LlxeO6DgrWvrWBug/BHK7M4us56xBaRjXbCXh8uBIgIhAP9RVOikh+PJMo3OT5IINWRzKxER3LxQYKTFw1OFPnAiWrl4zocAcJD8JcnUgFU/3WbVWBY=";
describe("JKS stores", () => {
  const [keys, trust] = [Buffer.from(JKS_KEY_STORE, "base64"), Buffer.from(JKS_TRUST_STORE, "base64")];
  test("give the key with its chain, and the trusted certificates", () => {
    const { key, chain } = jksKey(keys, "changeit", "secret7");
    const certificate = new X509Certificate(chain);
    expect(certificate.subject).toBe("CN=jks-server");
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(jksCertificates(trust, "changeit")).toEqual([certificate.toString()]);
    expect(jksCertificates(trust, undefined)).toHaveLength(1);
  });
  test("a wrong password, a flipped byte and every cut are refused", () => {
    expect(() => jksKey(keys, "changeit", "wrong")).toThrow(/password of its key/);
    expect(() => jksKey(keys, "wrong", "secret7")).toThrow(/password is wrong/);
    expect(() => jksKey(trust, "changeit", "changeit")).toThrow(/no key/);
    // As in Java, whose own certificates of keys are trusted, too.
    expect(jksCertificates(keys, "changeit")).toEqual(jksCertificates(trust, "changeit"));
    for (let length = 0; length < keys.length; length += 5) {
      expect(() => jksKey(keys.subarray(0, length), "changeit", "secret7")).toThrow();
      expect(() => jksCertificates(trust.subarray(0, Math.min(length, trust.length - 1)), undefined)).toThrow();
    }
  });
});
