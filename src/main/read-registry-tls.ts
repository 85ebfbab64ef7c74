import { createPrivateKey, X509Certificate } from "node:crypto";
import { invalidParameter } from "../errors/platform-error.ts";
import { readText } from "./read-text.ts";

/**
 * The contents of `--tls-cert` and `--tls-key`, looked at before a server takes them: its own error would name neither.
 * Errors: InvalidParameter, System naming the file.
 */
export function readRegistryTls(paths: { readonly cert: string; readonly key: string }) {
  const [cert, key] = [readText(paths.cert), readText(paths.key)];
  const certificate = parse(
    () => new X509Certificate(cert),
    `--tls-cert ${paths.cert}: no certificate in PEM form`,
  );
  const privateKey = parse(
    () => createPrivateKey(key),
    `--tls-key ${paths.key}: no private key in PEM form without a passphrase`,
  );
  if (!certificate.checkPrivateKey(privateKey))
    throw invalidParameter(`--tls-key ${paths.key}: not the key of the certificate in ${paths.cert}`);
  return { cert, key };
}

function parse<T>(read: () => T, problem: string): T {
  try {
    return read();
  } catch (cause) {
    throw invalidParameter(problem, { cause });
  }
}
