// A mail server that is not ours (nodemailer's smtp-server): says its port, then a line of JSON for each e-mail it took.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { SMTPServer } from "smtp-server";

const [key, cert, how] = process.argv.slice(2);
let refuse = 0;
const server = new SMTPServer({
  key: readFileSync(key),
  cert: readFileSync(cert),
  secure: how === "tls",
  hideSTARTTLS: how === "plain",
  authOptional: true,
  disableReverseLookup: true,
  onAuth(auth, session, done) {
    done(auth.username === "borgerbro" && auth.password === "secret" ? null : new Error("no"), { user: auth.username });
  },
  onData(stream, session, done) {
    const parts = [];
    stream.on("data", (part) => parts.push(part));
    stream.on("end", () => {
      const { mailFrom, rcptTo } = session.envelope;
      const to = rcptTo.map((one) => one.address);
      if (refuse > 0) {
        refuse -= 1;
        return done(new Error("come again"));
      }
      const text = Buffer.concat(parts).toString("utf-8");
      console.log(JSON.stringify({ from: mailFrom.address, to, secure: session.secure, user: session.user ?? null, text }));
      if (how !== "silent") done();
    });
  },
});
server.on("error", () => {});
server.listen(0, "127.0.0.1", () => console.log(server.server.address().port));
createInterface({ input: process.stdin }).on("line", (line) => { refuse = Number(line); }).on("close", () => process.exit(0));
