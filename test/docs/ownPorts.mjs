import { existsSync, readFileSync, writeFileSync } from "node:fs";
import net from "node:net";

/**
 * Gives a program of a page ports of its own: where it listens on a port, it gets a free one, and where it connects to a
 * port that it, or its server, has asked for, it gets there. So examples with the same port can run at the same time. The
 * file `DOCS_PORTS` has what was given.
 */
const file = process.env.DOCS_PORTS;
const given = () => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {});
const taken = new Set();

/** What `listen` and `connect` make of their arguments: options, or an object with options first. */
const normalized = (args) => (Array.isArray(args[0]) ? args[0] : net._normalizeArgs(args));

const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (...args) {
  const [options, callback] = normalized(args);
  const wanted = Number(options.port);
  if (!wanted) return listen.apply(this, args);
  if (taken.has(wanted)) throw Object.assign(new Error(`listen EADDRINUSE: port ${wanted}`), { code: "EADDRINUSE" });
  this.once("close", () => taken.delete(wanted));
  const note = () => {
    taken.add(wanted);
    writeFileSync(file, JSON.stringify({ ...given(), [wanted]: this.address().port }));
  };
  this.once("listening", note);
  listen.call(this, { ...options, port: 0 }, ...(callback ? [callback] : []));
  // Where no name must be looked up it listens by now, and programs may connect before the event.
  if (this.address()) note();
  return this;
};

const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (...args) {
  const [options] = normalized(args);
  const port = given()[options.port];
  if (port) options.port = port;
  return connect.apply(this, args);
};

// A program does not outlive the test that runs it.
if (process.env.DOCS_PARENT === String(process.ppid) && process.channel) {
  process.channel.unref();
  process.once("disconnect", () => process.exit(1));
}
