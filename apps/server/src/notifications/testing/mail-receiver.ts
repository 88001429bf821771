import type { AddressInfo } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { ownCertificate } from "../../commands/certificate.ts";

/** A mail as it arrived. */
interface ReceivedMail {
  readonly to: readonly string[];
  readonly secure: boolean;
  readonly user: string;
  /** Headers and body as they were sent. */
  readonly text: string;
}

/** A mail server on this machine, with STARTTLS and a password. */
export interface MailReceiver {
  readonly port: number;
  readonly caPem: string;
  readonly received: readonly ReceivedMail[];
  /** The next mails are refused with these statuses; `hang`: no answer comes. */
  answerNext(...answers: readonly (number | "hang")[]): void;
  close(): Promise<void>;
}

export const MAIL_USER = "bulwark@example.org";
export const MAIL_PASSWORD = "a password of mail";

/** @param directory where the server's certificate is made */
export async function startMailReceiver(directory: string, options: SMTPServerOptions = {}): Promise<MailReceiver> {
  const { key, cert } = await ownCertificate(directory, new Date());
  const received: ReceivedMail[] = [];
  const script: (number | "hang")[] = [];
  const server = new SMTPServer({
    key,
    cert,
    authOptional: false,
    closeTimeout: 100,
    onAuth({ username, password }, _session, done) {
      if (username === MAIL_USER && password === MAIL_PASSWORD) return done(null, { user: username });
      done(Object.assign(new Error("wrong password"), { responseCode: 535 }));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const answer = script.shift();
        if (answer === "hang") return;
        if (answer !== undefined) return done(Object.assign(new Error("scripted"), { responseCode: answer }));
        const to = session.envelope.rcptTo.map(({ address }) => address);
        const user = String(session.user ?? "");
        received.push({ to, secure: session.secure, user, text: Buffer.concat(chunks).toString("utf8") });
        done();
      });
    },
    ...options,
  });
  // Clients that give up cut the connection.
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    caPem: cert,
    received,
    answerNext: (...answers) => void script.push(...answers),
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
