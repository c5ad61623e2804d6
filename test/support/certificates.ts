import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate and its key, as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority that nothing trusts by itself, and what it has certified. */
export interface Certificates {
  readonly ca: string;
  /** For `localhost`. */
  readonly server: Certificate;
  /** For `localhost`, until yesterday. */
  readonly expired: Certificate;
  /** For `other.example`. */
  readonly other: Certificate;
  /** For a client. */
  readonly client: Certificate;
}

/** Makes them with `openssl`; `undefined` where there is none. */
export function makeCertificates(): Certificates | undefined {
  const folder = mkdtempSync(join(tmpdir(), "certificates-"));
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe" });
  const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const issue = (name: string, host: string, days: number): Certificate => {
    const [key, request, cert, extensions] = ["key", "csr", "pem", "ext"].map((ending) => at(`${name}.${ending}`)) as [
      string,
      string,
      string,
      string,
    ];
    writeFileSync(extensions, `subjectAltName=DNS:${host}\n`);
    openssl("req", ...KEY, "-keyout", key, "-out", request, "-subj", `/CN=${host}`);
    const signer = ["-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial"];
    openssl("x509", "-req", "-in", request, ...signer, "-out", cert, "-days", `${days}`, "-extfile", extensions);
    return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
  };
  try {
    openssl("req", "-x509", ...KEY, "-keyout", at("ca.key"), "-out", at("ca.pem"), "-subj", "/CN=Tests", "-days", "2");
    return {
      ca: readFileSync(at("ca.pem"), "utf8"),
      server: issue("server", "localhost", 2),
      expired: issue("expired", "localhost", -1),
      other: issue("other", "other.example", 2),
      client: issue("client", "client.example", 2),
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
