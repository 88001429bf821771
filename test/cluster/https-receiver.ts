import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";

/** A server on loopback that keeps what it is sent. */
export interface HttpsReceiver {
  readonly url: string;
  /** PEM of who signed its certificate. */
  readonly ca: string;
  readonly close: () => Promise<void>;
}

/**
 * Hands every posted JSON document on and answers with what that gives.
 *
 * @example const receiver = await startHttpsReceiver((path, document) => { seen.push(document); return {}; });
 */
export async function startHttpsReceiver(
  answer: (path: string, document: Record<string, unknown>) => object,
): Promise<HttpsReceiver> {
  const { key, cert } = loopbackCertificate();
  const server = createServer({ key, cert }, (request, response) => {
    json(request).then(
      (document) => {
        const body = JSON.stringify(answer(request.url ?? "", document as Record<string, unknown>));
        response.setHeader("content-type", "application/json").end(body);
      },
      (error: unknown) => {
        response.statusCode = 400;
        response.end(String(error));
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ca: cert,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function loopbackCertificate(): { readonly key: string; readonly cert: string } {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-receiver-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"];
  const names = ["-subj", "/CN=receiver", "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync("openssl", ["req", "-x509", ...kind, ...names, "-keyout", key, "-out", cert], { stdio: "pipe" });
  const made = { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  rmSync(folder, { recursive: true });
  return made;
}
